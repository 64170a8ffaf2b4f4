/* Preloaded by full_disk.py: fills the disk under FULL_DISK_ROOT before the n-th call that may take room on it.

   Counted are opens that create, writes of any kind, growth of files, new folders and new names. The call itself goes
   on: whether it finds room is for the real file system to say. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

static long calls = 0, moment = 0;

void full_disk_at(long number) { calls = 0; moment = number; }
long full_disk_calls(void) { return calls; }

static void fill(const char *root) {
    char path[4096];
    struct statvfs disk;
    snprintf(path, sizeof path, "%s/ballast", root);
    int ballast = ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open"))(path, O_WRONLY | O_CREAT, 0600);
    if (ballast < 0) return;
    statvfs(root, &disk);
    if (disk.f_bfree) posix_fallocate(ballast, 0, disk.f_bfree * disk.f_bsize);
    close(ballast);
}

static void count(const char *path) {
    const char *root = getenv("FULL_DISK_ROOT");
    if (moment && root && !strncmp(path, root, strlen(root)) && path[strlen(root)] == '/' &&
        __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST) == moment)
        fill(root);
}

static void count_open(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = moment ? readlink(link, path, sizeof path - 1) : -1;
    if (size > 0) {
        path[size] = 0;
        count(path);
    }
}

#define NEXT(name, ...) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))(__VA_ARGS__)
#define OPENS(name)                                                          \
    int name(const char *path, int flags, ...) {                             \
        va_list rest;                                                        \
        va_start(rest, flags);                                               \
        mode_t mode = va_arg(rest, mode_t);                                  \
        va_end(rest);                                                        \
        if (flags & O_CREAT) count(path);                                    \
        return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name))(path, flags, mode); \
    }
OPENS(open)
OPENS(open64)
#define OPENS_AT(name)                                                       \
    int name(int place, const char *path, int flags, ...) {                  \
        va_list rest;                                                        \
        va_start(rest, flags);                                               \
        mode_t mode = va_arg(rest, mode_t);                                  \
        va_end(rest);                                                        \
        if (flags & O_CREAT) count(path);                                    \
        return ((int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, #name))(place, path, flags, mode); \
    }
OPENS_AT(openat)
OPENS_AT(openat64)
FILE *fopen(const char *path, const char *mode) { if (*mode != 'r') count(path); return NEXT(fopen, path, mode); }
FILE *fopen64(const char *path, const char *mode) { if (*mode != 'r') count(path); return NEXT(fopen64, path, mode); }
ssize_t write(int file, const void *from, size_t size) { count_open(file); return NEXT(write, file, from, size); }
ssize_t pwrite(int file, const void *from, size_t size, off_t at) { count_open(file); return NEXT(pwrite, file, from, size, at); }
ssize_t pwrite64(int file, const void *from, size_t size, off64_t at) { count_open(file); return NEXT(pwrite64, file, from, size, at); }
ssize_t writev(int file, const struct iovec *from, int number) { count_open(file); return NEXT(writev, file, from, number); }
int ftruncate(int file, off_t size) { count_open(file); return NEXT(ftruncate, file, size); }
int ftruncate64(int file, off64_t size) { count_open(file); return NEXT(ftruncate64, file, size); }
int mkdir(const char *path, mode_t mode) { count(path); return NEXT(mkdir, path, mode); }
int rename(const char *from, const char *to) { count(to); return NEXT(rename, from, to); }
