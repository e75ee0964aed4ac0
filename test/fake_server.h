/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A DNS server of a test on a port of 127.0.0.1, UDP and TCP: what arrives is read, and what is
 * answered is written, by hand. Reading runs the loop of the code under test until something is
 * there.
 */
#pragma once

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forwarder/config/config.h"
#include "forwarder/wire/dns.h"
#include "test/loop.h"

struct fake_server {
    int udp;
    int tcp; /* listening */
    struct config_address address;
};

/* A message that was read or is to be sent. */
struct fake_message {
    struct sockaddr_in from; /* of a datagram: where its answer goes */
    size_t size;
    uint8_t bytes[DNS_MESSAGE_MAX];
};

static inline int fake_socket(int type, struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    int descriptor = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(descriptor, 0);
    if (bind(descriptor, (struct sockaddr *)address, size) != 0) {
        close(descriptor);
        return -1;
    }
    ck_assert_int_eq(getsockname(descriptor, (struct sockaddr *)address, &size), 0);
    return descriptor;
}

/* A port that is free for both transports is found by trying. */
static inline void fake_server_open(struct fake_server *server)
{
    struct sockaddr_in *address = (struct sockaddr_in *)&server->address.sockaddr;
    *server = (struct fake_server){.tcp = -1, .address = {.size = sizeof *address}};
    while (server->tcp < 0) {
        *address = (struct sockaddr_in){.sin_family = AF_INET,
                                        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
        server->udp = fake_socket(SOCK_DGRAM, address);
        server->tcp = fake_socket(SOCK_STREAM, address);
        if (server->tcp < 0) {
            close(server->udp);
        }
    }
    ck_assert_int_eq(listen(server->tcp, 64), 0);
}

/* From now on datagrams and connections are refused. */
static inline void fake_server_close(struct fake_server *server)
{
    if (server->udp >= 0) {
        close(server->udp);
        close(server->tcp);
    }
    server->udp = -1;
    server->tcp = -1;
}

/* Fills the queue of connections that the server has not accepted: the next ones hang. */
#define FAKE_FILLERS 4
static inline void fake_server_fill(const struct fake_server *server, int fillers[FAKE_FILLERS])
{
    ck_assert_int_eq(listen(server->tcp, 0), 0);
    for (unsigned i = 0; i < FAKE_FILLERS; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        ck_assert_int_ge(fillers[i], 0);
        (void)connect(fillers[i], (const struct sockaddr *)&server->address.sockaddr,
                      server->address.size);
    }
}

static inline void fake_server_empty(const int fillers[FAKE_FILLERS])
{
    for (unsigned i = 0; i < FAKE_FILLERS; i++) {
        close(fillers[i]);
    }
}

static inline uint16_t fake_server_port(const struct fake_server *server)
{
    return ntohs(((const struct sockaddr_in *)&server->address.sockaddr)->sin_port);
}

/* The next datagram. */
static inline void fake_server_receive(const struct fake_server *server, struct event_base *base,
                                       struct fake_message *message)
{
    socklen_t size = sizeof message->from;
    LOOP_UNTIL(base, loop_readable(server->udp));
    ssize_t got = recvfrom(server->udp, message->bytes, sizeof message->bytes, 0,
                           (struct sockaddr *)&message->from, &size);
    ck_assert_int_ge(got, 0);
    message->size = (size_t)got;
}

/* Sends a datagram to where it came from. */
static inline void fake_server_send(const struct fake_server *server,
                                    const struct fake_message *message)
{
    ck_assert_int_eq(sendto(server->udp, message->bytes, message->size, 0,
                            (const struct sockaddr *)&message->from, sizeof message->from),
                     (ssize_t)message->size);
}

/* The next connection. */
static inline int fake_server_accept(const struct fake_server *server, struct event_base *base)
{
    LOOP_UNTIL(base, loop_readable(server->tcp));
    int connection = accept4(server->tcp, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_ge(connection, 0);
    return connection;
}

/* Exactly so many octets of a stream; false if it ends before the first. */
static inline bool fake_stream_octets(int connection, struct event_base *base, uint8_t *out,
                                      size_t size)
{
    for (size_t have = 0; have < size;) {
        LOOP_UNTIL(base, loop_readable(connection));
        ssize_t got = recv(connection, out + have, size - have, 0);
        if (got <= 0) {
            ck_assert_uint_eq(have, 0);
            return false;
        }
        have += (size_t)got;
    }
    return true;
}

/* The next message of a stream; false at its end, or when it was reset. */
static inline bool fake_stream_read(int connection, struct event_base *base,
                                    struct fake_message *message)
{
    uint8_t length[2];
    if (!fake_stream_octets(connection, base, length, sizeof length)) {
        return false;
    }
    message->size = (size_t)(length[0] << 8 | length[1]);
    return fake_stream_octets(connection, base, message->bytes, message->size);
}

/* Writes a message to a stream whose peer, in this process, reads while the loop runs. */
static inline void fake_stream_write(int connection, struct event_base *base,
                                     const struct fake_message *message)
{
    uint8_t framed[2 + DNS_MESSAGE_MAX] = {(uint8_t)(message->size >> 8), (uint8_t)message->size};
    ck_assert_uint_le(message->size, DNS_MESSAGE_MAX);
    memcpy(framed + 2, message->bytes, message->size);
    for (size_t sent = 0; sent < 2 + message->size;) {
        ssize_t put =
            send(connection, framed + sent, 2 + message->size - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (put > 0) {
            sent += (size_t)put;
        } else {
            loop_round(base);
        }
    }
}

/* Turns a query into its answer: QR=1, nothing else. */
static inline void fake_answer(struct fake_message *message)
{
    ck_assert_uint_ge(message->size, DNS_HEADER_SIZE);
    message->bytes[2] |= 0x80;
}
