// The floor of the benchmark: copies bytes between a client and an upstream connection and looks at none of them.
//
//     cc -O2 -o relay relay.c && ./relay LISTEN_PORT UPSTREAM_PORT
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_DESCRIPTORS = 1 << 16, BATCH = 256 };

// The other end of each open descriptor, -1 for none.
static int other_end[MAX_DESCRIPTORS];
static char bytes[1 << 16];

static struct sockaddr_in loopback(const char *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void watch(int set, int descriptor) {
    struct epoll_event interest = {.events = EPOLLIN, .data.fd = descriptor};
    if (epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &interest) != 0) fail("epoll_ctl");
}

static void close_pair(int descriptor) {
    int other = other_end[descriptor];
    other_end[descriptor] = -1;
    close(descriptor);
    if (other >= 0) {
        other_end[other] = -1;
        close(other);
    }
}

static void accept_all(int set, int listener, const struct sockaddr_in *upstream) {
    for (;;) {
        int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (client < 0) return;
        int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        // Connecting blocks: it happens once per connection, and the upstream is on this machine.
        if (server < 0 || client >= MAX_DESCRIPTORS || server >= MAX_DESCRIPTORS
            || connect(server, (const struct sockaddr *)upstream, sizeof *upstream) != 0) {
            close(client);
            if (server >= 0) close(server);
            continue;
        }
        int on = 1;
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        other_end[client] = server;
        other_end[server] = client;
        watch(set, client);
        watch(set, server);
    }
}

static void copy_once(int from) {
    int to = other_end[from];
    if (to < 0) return;
    ssize_t count = recv(from, bytes, sizeof bytes, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
        close_pair(from);
        return;
    }
    for (ssize_t sent = 0; sent < count;) {
        ssize_t piece = send(to, bytes + sent, (size_t)(count - sent), MSG_NOSIGNAL);
        if (piece > 0) {
            sent += piece;
        } else if (errno == EAGAIN) {
            struct pollfd room = {.fd = to, .events = POLLOUT};
            poll(&room, 1, -1);
        } else {
            close_pair(from);
            return;
        }
    }
}

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "usage: relay LISTEN_PORT UPSTREAM_PORT\n");
        return 2;
    }
    struct rlimit descriptors = {MAX_DESCRIPTORS, MAX_DESCRIPTORS};
    setrlimit(RLIMIT_NOFILE, &descriptors);
    for (int i = 0; i < MAX_DESCRIPTORS; i++) other_end[i] = -1;
    struct sockaddr_in here = loopback(arguments[1]), upstream = loopback(arguments[2]);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) != 0) fail("bind");
    if (listen(listener, 4096) != 0) fail("listen");
    int set = epoll_create1(EPOLL_CLOEXEC);
    watch(set, listener);
    struct epoll_event events[BATCH];
    for (;;) {
        int ready = epoll_wait(set, events, BATCH, -1);
        for (int i = 0; i < ready; i++) {
            int descriptor = events[i].data.fd;
            if (descriptor == listener) accept_all(set, listener, &upstream);
            else copy_once(descriptor);
        }
    }
}
