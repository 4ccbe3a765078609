/// Fields by which a client can tell some frameworks that the request is for another target, or has another method, than
/// it has: what was authorized would not be what is served. Proxies set them; from peers that are no trusted proxies they
/// are dropped unless `override_headers` keeps them.
enum OverrideFields {
    static let names = [
        // The target: IIS, Symfony, Zend, Spring, ingress controllers, Azure, Traefik, Envoy.
        "X-Original-URL", "X-Original-URI", "X-Original-Path", "X-Original-Query", "X-Original-Target", "X-Rewrite-URL",
        "X-Rewrite-URI", "X-Rewrite-Path", "X-Override-URL", "X-Override-URI", "X-Override-Path", "X-Replaced-Path",
        "X-Replaced-Query", "X-Request-URL", "X-Request-URI", "X-Request-Path", "X-Requested-URI", "X-Requested-URL",
        "X-Proxy-URL", "X-Proxy-URI", "X-HTTP-DestinationURL", "X-HTTP-Path-Override", "X-HTTP-URL-Override",
        "X-WAWS-Unencoded-URL", "X-Envoy-Original-Path", "X-Envoy-Original-Method", "X-Envoy-Original-Host",
        "X-Script-Name", "Script-Name", "X-Path-Info", "Path-Info", "X-Path", "X-URL", "X-URI", "Base-URL", "Http-URL",
        "Proxy-URL", "Request-URI", "URI", "URL",
        // The method.
        "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Method", "X-Original-Method",
        "X-Override-Method", "X-Rewrite-Method", "X-Request-Method", "HTTP-Method-Override", "Method-Override",
        "Request-Method", "X-HTTP-Verb-Override", "X-HTTP-Verb",
        // The host and the scheme.
        "X-Original-Host", "X-Rewrite-Host", "X-Host", "X-HTTP-Host-Override", "X-Host-Override", "X-Proxy-Host",
        "Proxy-Host", "Forwarded-Host", "Forwarded-Proto", "X-Original-Proto", "X-Original-Scheme", "X-Original-Port",
        "X-Scheme", "X-URL-Scheme", "Front-End-HTTPS",
        "X-Forwarded-Prefix", "X-Forwarded-Path", "X-Forwarded-URI", "X-Forwarded-URL", "X-Forwarded-Method",
        "X-Forwarded-Server", "X-Forwarded-Scheme", "X-Forwarded-Protocol", "X-Forwarded-SSL", "X-Forwarded-By",
        "X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Preferred-Username",
        "X-Forwarded-Access-Token", "X-Forwarded-Client-Cert",
        // HTTP_PROXY of CGI (CVE-2016-5385).
        "Proxy",
    ]

    /// Whatever else of this family a server may read; X-Forwarded-For, -Host, -Port and -Proto the gateway writes anew.
    static let prefixes = ["X-Forwarded-"]
}
