/// What Swift's importer hides or makes clumsy of Linux' own calls. Each function returns what the call
/// returned, or the negated `errno`, so that no caller reads a thread-local after the fact.
#ifndef CLINUX_H
#define CLINUX_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static inline long linux_result(long r) { return r < 0 ? -(long)errno : r; }

// The three calls made for every request go to the kernel directly: glibc's own are cancellation points, and pay for it.
extern long syscall(long number, ...);

static inline long linux_recv(int fd, void *bytes, size_t count) {
  return linux_result(syscall(SYS_recvfrom, fd, bytes, count, 0, NULL, NULL));
}

/// `send(2)` that answers EPIPE instead of raising SIGPIPE.
static inline long linux_send(int fd, const void *bytes, size_t count) {
  return linux_result(syscall(SYS_sendto, fd, bytes, count, MSG_NOSIGNAL, NULL, 0));
}

/// glibc declares it for _GNU_SOURCE only, and this header must see the C library as Swift's own module does.
extern int accept4(int fd, struct sockaddr *peer, socklen_t *length, int flags);

static inline long linux_accept(int fd, struct sockaddr_storage *peer, socklen_t *length) {
  return linux_result(accept4(fd, (struct sockaddr *)peer, length, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

static inline long linux_epoll_create(void) { return linux_result(epoll_create1(EPOLL_CLOEXEC)); }

static inline long linux_epoll_add(int epoll, int fd, uint32_t events, uint64_t token) {
  struct epoll_event event = {.events = events, .data.u64 = token};
  return linux_result(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

static inline long linux_epoll_modify(int epoll, int fd, uint32_t events, uint64_t token) {
  struct epoll_event event = {.events = events, .data.u64 = token};
  return linux_result(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event));
}

static inline long linux_epoll_remove(int epoll, int fd) {
  struct epoll_event event = {0};
  return linux_result(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &event));
}

static inline long linux_epoll_wait(int epoll, struct epoll_event *events, int count, int timeout_ms) {
  return linux_result(syscall(SYS_epoll_pwait, epoll, events, count, timeout_ms, NULL, 0));
}

static inline uint64_t linux_epoll_token(const struct epoll_event *event) { return event->data.u64; }

static inline long linux_eventfd(void) { return linux_result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }
static inline void linux_eventfd_signal(int fd) { uint64_t one = 1; long r = write(fd, &one, sizeof one); (void)r; }
static inline void linux_eventfd_clear(int fd) { uint64_t count; long r = read(fd, &count, sizeof count); (void)r; }

static inline int64_t linux_clock_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
static inline int64_t linux_monotonic_ns(void) { return linux_clock_ns(CLOCK_MONOTONIC); }
static inline int64_t linux_realtime_ns(void) { return linux_clock_ns(CLOCK_REALTIME); }

static inline long linux_set_int_option(int fd, int level, int name, int value) {
  return linux_result(setsockopt(fd, level, name, &value, sizeof value));
}

// Bytes written and not yet acknowledged; 0 where that cannot be known.
static inline int linux_output_queue(int fd) {
  int count = 0;
  return ioctl(fd, SIOCOUTQ, &count) == 0 ? count : 0;
}

static inline long linux_connect(int fd, const struct sockaddr_storage *address, socklen_t length) {
  return linux_result(connect(fd, (const struct sockaddr *)address, length));
}
static inline long linux_bind(int fd, const struct sockaddr_storage *address, socklen_t length) {
  return linux_result(bind(fd, (const struct sockaddr *)address, length));
}
static inline long linux_listen(int fd, int backlog) { return linux_result(listen(fd, backlog)); }
static inline long linux_socket(int family) {
  return linux_result(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}
static inline long linux_local_name(int fd, struct sockaddr_storage *address, socklen_t *length) {
  return linux_result(getsockname(fd, (struct sockaddr *)address, length));
}
/// The error a socket has stored (SO_ERROR), 0 when none.
static inline int linux_socket_error(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
}
static inline long linux_random(void *bytes, size_t count) { return linux_result(getrandom(bytes, count, 0)); }

/// `open(2)` with close-on-exec; new files get mode 0640.
static inline long linux_open(const char *path, int flags) { return linux_result(open(path, flags | O_CLOEXEC, 0640)); }
static inline long linux_read(int fd, void *bytes, size_t count) { return linux_result(read(fd, bytes, count)); }
static inline long linux_write(int fd, const void *bytes, size_t count) { return linux_result(write(fd, bytes, count)); }

/// Waits until `events` (or an error) can be told of one descriptor; 0 when the time is over.
static inline long linux_poll(int fd, short events, int timeout_ms) {
  struct pollfd entry = {.fd = fd, .events = events};
  return linux_result(poll(&entry, 1, timeout_ms));
}

/// What tells one state of a file from another.
struct linux_file_identity {
  uint64_t device, inode, mode;
  int64_t size, modified_ns;
};
static inline long linux_identify(int fd, const char *path, struct linux_file_identity *identity) {
  struct stat s;
  long result = linux_result(path ? stat(path, &s) : fstat(fd, &s));
  if (result < 0) return result;
  identity->device = s.st_dev;
  identity->inode = s.st_ino;
  identity->mode = s.st_mode;
  identity->size = s.st_size;
  identity->modified_ns = (int64_t)s.st_mtim.tv_sec * 1000000000 + s.st_mtim.tv_nsec;
  return 0;
}

/// Length of a symbolic link's target; -EINVAL for what is there and no link.
static inline long linux_read_link(const char *path, char *target, size_t count) {
  return linux_result(readlink(path, target, count));
}

static inline long linux_inotify(void) { return linux_result(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)); }
static inline long linux_inotify_add(int fd, const char *path, uint32_t mask) {
  return linux_result(inotify_add_watch(fd, path, mask));
}
static inline long linux_inotify_remove(int fd, int watch) { return linux_result(inotify_rm_watch(fd, watch)); }

/// Whether another process than this one has the socket with this inode open: its id, or 0 where that cannot be known.
static inline int linux_socket_owner(unsigned long inode) {
  char wanted[64], path[288], target[64];
  snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
  DIR *processes = opendir("/proc");
  if (!processes) return 0;
  int owner = 0;
  struct dirent *process, *file;
  while (!owner && (process = readdir(processes))) {
    int pid = atoi(process->d_name);
    if (pid <= 0 || pid == getpid()) continue;
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *files = opendir(path);
    if (!files) continue;
    while (!owner && (file = readdir(files))) {
      snprintf(path, sizeof path, "/proc/%d/fd/%.200s", pid, file->d_name);
      ssize_t length = readlink(path, target, sizeof target - 1);
      if (length <= 0) continue;
      target[length] = 0;
      if (strcmp(target, wanted) == 0) owner = pid;
    }
    closedir(files);
  }
  closedir(processes);
  return owner;
}

/// The id of another process that listens on a TCP port of this network namespace, on whatever address; 0 where none is known.
static inline int linux_listener_owner(unsigned port) {
  static const char *const tables[] = {"/proc/net/tcp", "/proc/net/tcp6"};
  int owner = 0;
  for (int table = 0; !owner && table < 2; table++) {
    FILE *file = fopen(tables[table], "re");
    if (!file) continue;
    char line[512];
    while (!owner && fgets(line, sizeof line, file)) {
      unsigned local = 0, state = 0;
      unsigned long inode = 0;
      // sl local:port remote:port state tx:rx timer:when retransmits uid timeout inode (proc(5)); 0A is LISTEN.
      if (sscanf(line, " %*d: %*32[0-9A-Fa-f]:%x %*32[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x %*u %*d %lu", &local, &state, &inode) == 3
          && state == 0x0A && local == port && inode)
        owner = linux_socket_owner(inode);
    }
    fclose(file);
  }
  return owner;
}
#endif
