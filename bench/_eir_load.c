/* A load generator for S13 that costs little itself: messages written beforehand, answers counted by their lengths.
 *
 * eir_load PORT FILE closed WINDOW     ask all of FILE, WINDOW out at once
 * eir_load PORT FILE open   RATE       ask RATE a second whatever the answers do
 *
 * FILE holds whole Diameter messages, the CER first. Prints: answers, seconds, waits p50, p99 and longest in
 * microseconds; in the open form a wait counts from when the question was due. Answers come in the order of questions.
 * Exits 2 when nothing came for ten seconds: what is missing then has no answer.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { READ_OCTETS = 1 << 18, MOST_SENT = 1 << 16 };

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec * 1e-9;
}

static uint32_t length_of(const uint8_t *message) {
    return (uint32_t)message[1] << 16 | (uint32_t)message[2] << 8 | message[3];
}

static int by_size(const void *one, const void *other) {
    float a = *(const float *)one, b = *(const float *)other;
    return (a > b) - (a < b);
}

static void die(const char *why) {
    perror(why);
    exit(1);
}

int main(int count, char **words) {
    if (count != 5) return 1;
    FILE *file = fopen(words[2], "rb");
    if (!file || fseek(file, 0, SEEK_END)) die(words[2]);
    size_t size = ftell(file);
    uint8_t *octets = malloc(size), *read_into = malloc(READ_OCTETS + 4096);
    rewind(file);
    if (!octets || !read_into || fread(octets, 1, size, file) != size) die(words[2]);
    size_t total = 0, at = length_of(octets), first = at;
    for (size_t place = at; place < size; place += length_of(octets + place)) total++;
    size_t *ends = malloc((total + 1) * sizeof *ends);
    double *began = malloc(total * sizeof *began);
    float *waits = malloc(total * sizeof *waits);
    if (!ends || !began || !waits) die("memory");
    ends[0] = first;
    for (size_t n = 0; n < total; n++) ends[n + 1] = ends[n] + length_of(octets + ends[n]);

    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(atoi(words[1]))};
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int link = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (connect(link, (struct sockaddr *)&where, sizeof where)) die("connect");
    setsockopt(link, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (write(link, octets, first) != (ssize_t)first || read(link, read_into, READ_OCTETS) < 20) die("CER");
    fcntl(link, F_SETFL, O_NONBLOCK);

    int is_open = !strcmp(words[3], "open");
    double figure = atof(words[4]), start = now(), last_came = start;
    size_t asked = 0, answered = 0, held = 0;
    while (answered < total) {
        size_t may = is_open ? (size_t)((now() - start) * figure) + 1 : answered + (size_t)figure;
        if (may > total) may = total;
        while (asked < may && at < ends[may]) {
            size_t most = ends[may] - at;
            ssize_t sent = send(link, octets + at, most < MOST_SENT ? most : MOST_SENT, MSG_NOSIGNAL);
            if (sent < 0 && errno != EAGAIN) die("send");
            if (sent <= 0) break;
            at += sent;
            double moment = now();
            while (asked < may && ends[asked + 1] <= at) {
                began[asked] = is_open ? start + asked / figure : moment;
                asked++;
            }
        }
        int wait_ms = is_open && asked < total ? 0 : 100;
        struct pollfd ready = {.fd = link, .events = POLLIN};
        if (poll(&ready, 1, wait_ms) > 0) {
            ssize_t got = recv(link, read_into + held, READ_OCTETS, 0);
            if (got == 0) die("closed");
            if (got < 0 && errno != EAGAIN) die("recv");
            double came = last_came = now();
            size_t end = held + (got > 0 ? got : 0), place = 0;
            while (end - place >= 4 && end - place >= length_of(read_into + place)) {
                if (answered < total) waits[answered] = (came - began[answered]) * 1e6, answered++;
                place += length_of(read_into + place);
            }
            held = end - place;
            memmove(read_into, read_into + place, held);
        } else if (is_open && asked < total) {
            struct timespec pause = {.tv_nsec = 50000};
            nanosleep(&pause, NULL);
        }
        if (now() - last_came > 10) break;
    }
    double seconds = now() - start;
    qsort(waits, answered, sizeof *waits, by_size);
    float none = 0, *sorted = answered ? waits : &none;
    size_t last = answered ? answered - 1 : 0;
    printf("%zu %f %f %f %f\n", answered, seconds, sorted[last / 2], sorted[last * 99 / 100], sorted[last]);
    return answered < total ? 2 : 0;
}
