/* A target that knows how long each of its answers really took.
 *
 *     server ROUTES SAMPLES [PERIOD LENGTH]
 *
 * Prints the port of 127.0.0.1 that it listens on and serves until its standard input ends; then SAMPLES holds, for
 * each answer, three little-endian int32: microseconds from the first request read to this one's arrival (below zero
 * where another was read first), microseconds that the answer took, and the number of the route.
 *
 * What an answer took runs from the kernel's receive stamp of the request's first bytes (on the loopback that is
 * the moment in which the client handed them over) to the return of the send of the answer's last byte (by then it lies
 * in the client's socket). So waiting in this server's socket queue is in it, and nothing that the client
 * does before or after. Answers fall due by that stamp, whatever else there was to do.
 *
 * With PERIOD and LENGTH (seconds) the whole server stands still for the last LENGTH of each PERIOD since the first
 * arrival: it reads nothing and sends nothing. The kernel goes on accepting and stamping.
 *
 * ROUTES: lines of METHOD PATTERN STATUS TYPE DELAY FILE, by spaces; the first whose pattern (fnmatch) fits
 * the path answers, with the file's contents. DELAY is fixed:SECONDS or lognormal:MEDIAN:SIGMA, the latter drawn
 * by a generator of a fixed seed, in the order of the requests.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/net_tstamp.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD = 8192, ROUTES = 32, FDS = 65536, BATCH = 64, SAMPLES = 1 << 24 };

struct route { char method[8], pattern[128]; double median, sigma; char *answer; size_t size; };
struct connection {
    int fd, route, place;      /* place: in the heap, -1 when not in it */
    size_t have, body, sent;   /* bytes of the head so far, of the body still to come, of the answer gone */
    int64_t arrived, due;      /* ns; arrived 0: no request has begun */
    int headed, answering;
    char head[HEAD + 1];
};

static struct route routes[ROUTES];
static int route_count, waiting, epoll;
static struct connection *connections[FDS], *heap[FDS];
static int32_t *samples;
static size_t sample_count;
static int64_t first_arrival, period, length;
static uint64_t seed = 0x9e3779b97f4a7c15u;

static void die(const char *what) { perror(what); exit(1); }

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t); /* the clock of the kernel's stamps */
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static double uniform(void) /* xorshift64*, in (0, 1] */
{
    seed ^= seed >> 12; seed ^= seed << 25; seed ^= seed >> 27;
    return ((seed * 0x2545f4914f6cdd1du >> 11) + 1) / 9007199254740992.0;
}

static double drawn(const struct route *r)
{
    if (r->sigma == 0) return r->median;
    return r->median * exp(r->sigma * sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform()));
}

/* -- a heap of connections by due time ------------------------------------------------------------------------ */

static void put(int i, struct connection *c) { heap[i] = c; c->place = i; }

static void rise(int i, struct connection *c)
{
    for (; i > 0 && heap[(i - 1) / 2]->due > c->due; i = (i - 1) / 2) put(i, heap[(i - 1) / 2]);
    put(i, c);
}

static void take_out(struct connection *c)
{
    int i = c->place;
    struct connection *last = heap[--waiting];
    c->place = -1;
    if (last == c) return;
    for (int child; (child = 2 * i + 1) < waiting; i = child) {
        if (child + 1 < waiting && heap[child + 1]->due < heap[child]->due) child++;
        if (heap[child]->due >= last->due) break;
        put(i, heap[child]);
    }
    rise(i, last);
}

/* -- connections ------------------------------------------------------------------------------------------------ */

static void interest(struct connection *c, int op, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.fd = c->fd};
    if (epoll_ctl(epoll, op, c->fd, &e) < 0) die("epoll_ctl");
}

static void hang_up(struct connection *c)
{
    if (c->place >= 0) take_out(c);
    connections[c->fd] = NULL;
    close(c->fd);
    free(c);
}

static void take_in(int listener)
{
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        struct connection *c = fd < FDS ? calloc(1, sizeof *c) : NULL;
        if (c == NULL) { close(fd); continue; }
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        c->fd = fd;
        c->place = -1;
        connections[fd] = c;
        interest(c, EPOLL_CTL_ADD, EPOLLIN);
    }
}

static void record(struct connection *c)
{
    if (sample_count < SAMPLES) {
        int32_t *s = samples + 3 * sample_count++;
        s[0] = (c->arrived - first_arrival) / 1000;
        s[1] = (now() - c->arrived) / 1000;
        s[2] = c->route;
    }
    c->have = c->sent = 0;
    c->arrived = c->headed = 0;
}

static void answer(struct connection *c)
{
    struct route *r = &routes[c->route];
    while (c->sent < r->size) {
        ssize_t n = send(c->fd, r->answer + c->sent, r->size - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            if (!c->answering) interest(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
            c->answering = 1;
            return;
        }
        if (n < 0) { hang_up(c); return; }
        c->sent += n;
    }
    if (c->answering) interest(c, EPOLL_CTL_MOD, EPOLLIN);
    c->answering = 0;
    record(c);
}

static void asked(struct connection *c) /* the whole request is here */
{
    c->due = c->arrived + (int64_t)(drawn(&routes[c->route]) * 1e9);
    if (c->due <= now()) { answer(c); return; }
    rise(waiting++, c);
}

static int route_of(const char *head)
{
    char method[8], path[1024];
    if (sscanf(head, "%7s %1023[^ ?]", method, path) != 2) return -1;
    for (int i = 0; i < route_count; i++)
        if (strcmp(routes[i].method, method) == 0 && fnmatch(routes[i].pattern, path, 0) == 0) return i;
    fprintf(stderr, "no route for %s %s\n", method, path);
    return -1;
}

static int understand(struct connection *c) /* -1: hang up; 0: more is to come; 1: the request is whole */
{
    if (!c->headed) {
        c->head[c->have] = 0;
        char *end = strstr(c->head, "\r\n\r\n");
        if (end == NULL) return c->have == HEAD ? -1 : 0;
        end[2] = 0;
        c->headed = 1;
        if ((c->route = route_of(c->head)) < 0) return -1;
        char *field = strcasestr(c->head, "\r\ncontent-length:");
        size_t said = field ? strtoul(field + 17, NULL, 10) : 0, got = c->have - (end + 4 - c->head);
        if (got > said) return -1; /* pipelining is not for us */
        c->body = said - got;
    }
    return c->body == 0;
}

static int64_t stamp_of(struct msghdr *m)
{
    for (struct cmsghdr *x = CMSG_FIRSTHDR(m); x; x = CMSG_NXTHDR(m, x))
        if (x->cmsg_level == SOL_SOCKET && x->cmsg_type == SCM_TIMESTAMPING) {
            struct timespec *t = (struct timespec *)CMSG_DATA(x);
            return t->tv_sec * 1000000000LL + t->tv_nsec;
        }
    fprintf(stderr, "the kernel gave no receive stamp\n");
    exit(1);
}

static void read_from(struct connection *c)
{
    for (;;) {
        ssize_t n;
        if (c->headed) { /* the body: thrown away by the kernel */
            n = recv(c->fd, NULL, c->body ? c->body : 1, MSG_TRUNC | MSG_DONTWAIT);
            if (n > 0 && c->body == 0) { hang_up(c); return; }
            if (n > 0) c->body -= n;
        } else {
            char control[256];
            struct iovec where = {c->head + c->have, HEAD - c->have};
            struct msghdr m = {.msg_iov = &where, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
            n = recvmsg(c->fd, &m, MSG_DONTWAIT);
            if (n > 0 && c->arrived == 0) {
                c->arrived = stamp_of(&m);
                if (first_arrival == 0) first_arrival = c->arrived;
            }
            if (n > 0) c->have += n;
        }
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) { hang_up(c); return; }
        int whole = understand(c);
        if (whole < 0) hang_up(c);
        else if (whole) asked(c);
        if (whole) return;
    }
}

/* -- start, loop, end ------------------------------------------------------------------------------------------- */

static void load_route(char *line)
{
    struct route *r = &routes[route_count++];
    char type[64], delay[64], file[1024];
    int status;
    if (sscanf(line, "%7s %127s %d %63s %63s %1023s", r->method, r->pattern, &status, type, delay, file) != 6
        || (sscanf(delay, "fixed:%lf", &r->median) != 1 && sscanf(delay, "lognormal:%lf:%lf", &r->median, &r->sigma) != 2)) {
        fprintf(stderr, "not a route: %s\n", line);
        exit(1);
    }
    FILE *f = fopen(file, "rb");
    if (!f) die(file);
    fseek(f, 0, SEEK_END);
    size_t size = ftell(f);
    rewind(f);
    r->answer = malloc(size + 512);
    r->size = sprintf(r->answer, "HTTP/1.1 %d Answer\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", status, type, size);
    r->size += fread(r->answer + r->size, 1, size, f);
    fclose(f);
}

static int open_listener(void)
{
    int on = 1, stamps = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof stamps) < 0) die("SO_TIMESTAMPING");
    if (bind(fd, (struct sockaddr *)&at, size) < 0 || listen(fd, 4096) < 0) die("listen");
    getsockname(fd, (struct sockaddr *)&at, &size);
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

static void freeze_if_due(void)
{
    if (period == 0 || first_arrival == 0) return;
    int64_t into = (now() - first_arrival) % period, left = period - into;
    if (left > length) return;
    struct timespec t = {left / 1000000000, left % 1000000000};
    while (nanosleep(&t, &t) < 0 && errno == EINTR) {}
}

static struct timespec until_next(void)
{
    int64_t ns = waiting ? heap[0]->due - now() : 1000000000;
    if (period && ns > 1000000) ns = 1000000; /* so that the freeze begins on time */
    if (ns < 0) ns = 0;
    return (struct timespec){ns / 1000000000, ns % 1000000000};
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 5) { fprintf(stderr, "usage: server ROUTES SAMPLES [PERIOD LENGTH]\n"); return 2; }
    if (argc == 5) { period = atof(argv[3]) * 1e9; length = atof(argv[4]) * 1e9; }
    FILE *f = fopen(argv[1], "r");
    if (!f) die(argv[1]);
    for (char line[2048]; fgets(line, sizeof line, f) && route_count < ROUTES;) load_route(line);
    fclose(f);
    samples = malloc(12 * (size_t)SAMPLES); /* the kernel gives the pages as they are written */
    prctl(PR_SET_TIMERSLACK, 1000);
    epoll = epoll_create1(0);
    int listener = open_listener();
    struct epoll_event e = {.events = EPOLLIN, .data.fd = listener}, in = {.events = EPOLLIN, .data.fd = 0}, ready[BATCH];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &in) < 0) die("standard input must be a pipe");
    for (int going = 1; going;) {
        freeze_if_due();
        struct timespec t = until_next();
        int n = epoll_pwait2(epoll, ready, BATCH, &t, NULL);
        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;
            struct connection *c = connections[fd];
            if (fd == listener) take_in(listener);
            else if (fd == 0) going = 0;
            else if (c && ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
                if (c->place < 0 && !c->answering) read_from(c);
                else if (ready[i].events & (EPOLLHUP | EPOLLERR)) hang_up(c);
            }
            c = connections[fd];
            if (c && c->answering && ready[i].events & EPOLLOUT) answer(c);
        }
        for (int64_t at = now(); waiting && heap[0]->due <= at;) {
            struct connection *c = heap[0];
            take_out(c);
            answer(c);
        }
    }
    f = fopen(argv[2], "wb");
    if (!f || fwrite(samples, 12, sample_count, f) != sample_count || fclose(f)) die(argv[2]);
    return 0;
}
