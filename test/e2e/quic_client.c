/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A client of DNS over QUIC that does as it is told, also what no honest one would: for the
 * end-to-end tests (test/e2e/quic.py). One connection, with certificates not looked at.
 *
 * usage: quic_client LOCAL SERVER PORT ALPN [SESSION]
 *        quic_client LOCAL SERVER PORT half-open N
 *
 * Commands, one a line on standard input (TAG is a number that names a stream, HEX its octets):
 *     send TAG [HEX] [fin]    more octets on a stream, which is opened if it is new
 *     cancel TAG            STOP_SENDING and RESET_STREAM
 *     rebind LOCAL          further packets come from another address or port, and nobody is told
 *     mute                  nothing is sent any more, acknowledgements neither
 *     close
 * Events, one a line on standard output: connected [resumed], session HEX (to be given as SESSION
 * to a later one), retry, data TAG HEX, fin TAG, reset TAG CODE, closed application|transport CODE,
 * closed reset|silent.
 *
 * half-open sends the first packet of N handshakes from ports of their own, and prints the number
 * of Retry packets that came back, of others, and of octets in all of them, once nothing has come
 * for a second.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "forwarder/quic/quic_compat.h"

#define PACKET_SIZE 1200
#define LINE_MAX_OCTETS (1U << 18)
#define NS 1000000000ULL

struct stream {
    unsigned tag;
    int64_t id; /* -1: not opened yet */
    uint8_t *bytes;
    size_t size;
    size_t sent;
    bool fin;
    bool fin_sent;
    bool stuck; /* no credit, or closed */
    TAILQ_ENTRY(stream) link;
};

struct client {
    int socket;
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    } local, server;
    socklen_t address_size;
    ngtcp2_conn *transport;
    ngtcp2_crypto_conn_ref reference;
    gnutls_session_t tls;
    gnutls_certificate_credentials_t credentials;
    TAILQ_HEAD(, stream) streams;
    bool mute;
    char line[LINE_MAX_OCTETS];
    size_t line_size;
};

static void die(const char *what)
{
    fprintf(stderr, "quic_client: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS + (uint64_t)now.tv_nsec;
}

static void print_hex(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        printf("%02x", bytes[i]);
    }
    printf("\n");
}

/* ---- Sockets ---- */

static void read_address(const char *text, uint16_t port, void *out, socklen_t *size)
{
    struct sockaddr_in *ipv4 = out;
    struct sockaddr_in6 *ipv6 = out;
    if (strchr(text, ':') != NULL) {
        *ipv6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
        *size = sizeof *ipv6;
        if (inet_pton(AF_INET6, text, &ipv6->sin6_addr) == 1) {
            return;
        }
    } else {
        *ipv4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
        *size = sizeof *ipv4;
        if (inet_pton(AF_INET, text, &ipv4->sin_addr) == 1) {
            return;
        }
    }
    die(text);
}

/* A connected socket at a local address, which need not be any interface's. */
static int open_socket(struct client *client, const char *local)
{
    int on = 1;
    socklen_t size;
    read_address(local, 0, &client->local, &size);
    int made = socket(client->local.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (made < 0) {
        die("socket");
    }
    if (size == sizeof(struct sockaddr_in6)) {
        (void)setsockopt(made, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof on);
    } else {
        (void)setsockopt(made, IPPROTO_IP, IP_FREEBIND, &on, sizeof on);
    }
    if (bind(made, &client->local.any, size) != 0 ||
        connect(made, &client->server.any, client->address_size) != 0 ||
        getsockname(made, &client->local.any, &size) != 0) {
        die("bind");
    }
    return made;
}

/* ---- What ngtcp2 asks ---- */

static void fill_random(uint8_t *bytes, size_t size, const ngtcp2_rand_ctx *unused)
{
    (void)unused;
    (void)gnutls_rnd(GNUTLS_RND_RANDOM, bytes, size);
}

static ngtcp2_conn *transport_of(ngtcp2_crypto_conn_ref *reference)
{
    return ((struct client *)reference->user_data)->transport;
}

static int on_new_id(ngtcp2_conn *transport, ngtcp2_cid *id, uint8_t *token, size_t size, void *ctx)
{
    (void)transport;
    (void)ctx;
    id->datalen = size;
    fill_random(id->data, size, NULL);
    fill_random(token, NGTCP2_STATELESS_RESET_TOKENLEN, NULL);
    return 0;
}

static int on_handshake(ngtcp2_conn *transport, void *ctx)
{
    struct client *client = ctx;
    (void)transport;
    printf(gnutls_session_is_resumed(client->tls) != 0 ? "connected resumed\n" : "connected\n");
    return 0;
}

/* A ticket has come. */
static int on_ticket(gnutls_session_t tls, unsigned type, unsigned when, unsigned incoming,
                     const gnutls_datum_t *message)
{
    gnutls_datum_t session;
    (void)type;
    (void)when;
    (void)incoming;
    (void)message;
    if (gnutls_session_get_data2(tls, &session) == 0) {
        printf("session ");
        print_hex(session.data, session.size);
        gnutls_free(session.data);
    }
    return 0;
}

static int on_retry(ngtcp2_conn *transport, const ngtcp2_pkt_hd *header, void *ctx)
{
    printf("retry\n");
    return ngtcp2_crypto_recv_retry_cb(transport, header, ctx);
}

static int on_data(ngtcp2_conn *transport, uint32_t flags, int64_t id, uint64_t offset,
                   const uint8_t *bytes, size_t size, void *ctx, void *stream_ctx)
{
    struct stream *stream = stream_ctx;
    (void)ctx;
    (void)offset;
    if (size > 0) {
        printf("data %u ", stream->tag);
        print_hex(bytes, size);
        ngtcp2_conn_extend_max_stream_offset(transport, id, size);
        ngtcp2_conn_extend_max_offset(transport, size);
    }
    if ((flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0) {
        printf("fin %u\n", stream->tag);
    }
    return 0;
}

static int on_reset(ngtcp2_conn *transport, int64_t id, uint64_t final, uint64_t code, void *ctx,
                    void *stream_ctx)
{
    (void)transport;
    (void)id;
    (void) final;
    (void)ctx;
    printf("reset %u %u\n", ((struct stream *)stream_ctx)->tag, (unsigned)code);
    return 0;
}

static int on_close(ngtcp2_conn *transport, uint32_t flags, int64_t id, uint64_t code, void *ctx,
                    void *stream_ctx)
{
    (void)transport;
    (void)flags;
    (void)id;
    (void)code;
    (void)ctx;
    ((struct stream *)stream_ctx)->stuck = true;
    return 0;
}

static int on_credit(ngtcp2_conn *transport, uint64_t streams, void *ctx)
{
    struct client *client = ctx;
    struct stream *stream;
    (void)transport;
    (void)streams;
    TAILQ_FOREACH(stream, &client->streams, link)
    {
        stream->stuck = stream->stuck && stream->id >= 0;
    }
    return 0;
}

static int on_stateless_reset(ngtcp2_conn *transport, const ngtcp2_pkt_stateless_reset *reset,
                              void *ctx)
{
    (void)transport;
    (void)reset;
    (void)ctx;
    printf("closed reset\n");
    exit(0);
}

static const ngtcp2_callbacks callbacks = {
    .client_initial = ngtcp2_crypto_client_initial_cb,
    .recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb,
    .handshake_completed = on_handshake,
    .encrypt = ngtcp2_crypto_encrypt_cb,
    .decrypt = ngtcp2_crypto_decrypt_cb,
    .hp_mask = ngtcp2_crypto_hp_mask_cb,
    .recv_stream_data = on_data,
    .stream_close = on_close,
    .recv_stateless_reset = on_stateless_reset,
    .recv_retry = on_retry,
    .extend_max_local_streams_bidi = on_credit,
    .rand = fill_random,
    .get_new_connection_id = on_new_id,
    .update_key = ngtcp2_crypto_update_key_cb,
    .stream_reset = on_reset,
    .delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
    .delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
    .get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb,
    .version_negotiation = ngtcp2_crypto_version_negotiation_cb,
};

/* ---- A connection ---- */

static void make_tls(struct client *client, const char *alpn)
{
    gnutls_datum_t protocol = {(unsigned char *)(uintptr_t)alpn, (unsigned)strlen(alpn)};
    client->reference = (ngtcp2_crypto_conn_ref){transport_of, client};
    if (gnutls_certificate_allocate_credentials(&client->credentials) != 0 ||
        gnutls_init(&client->tls, GNUTLS_CLIENT) != 0 ||
        gnutls_priority_set_direct(
            client->tls, "NORMAL:-VERS-ALL:+VERS-TLS1.3:%DISABLE_TLS13_COMPAT_MODE", NULL) != 0 ||
        gnutls_credentials_set(client->tls, GNUTLS_CRD_CERTIFICATE, client->credentials) != 0 ||
        gnutls_alpn_set_protocols(client->tls, &protocol, 1, 0) != 0 ||
        ngtcp2_crypto_gnutls_configure_client_session(client->tls) != 0) {
        die("tls");
    }
    gnutls_session_set_ptr(client->tls, &client->reference);
    gnutls_handshake_set_hook_function(client->tls, GNUTLS_HANDSHAKE_NEW_SESSION_TICKET,
                                       GNUTLS_HOOK_POST, on_ticket);
}

static void resume(struct client *client, const char *hex)
{
    const gnutls_datum_t text = {(unsigned char *)(uintptr_t)hex, (unsigned)strlen(hex)};
    gnutls_datum_t session;
    if (gnutls_hex_decode2(&text, &session) != 0 ||
        gnutls_session_set_data(client->tls, session.data, session.size) != 0) {
        die("session");
    }
    gnutls_free(session.data);
}

static ngtcp2_path path_of(struct client *client)
{
    return (ngtcp2_path){.local = {&client->local.any, client->address_size},
                         .remote = {&client->server.any, client->address_size}};
}

static void make_transport(struct client *client, const char *alpn)
{
    ngtcp2_settings settings;
    ngtcp2_transport_params params;
    ngtcp2_cid there = {.datalen = 18};
    ngtcp2_cid here = {.datalen = 8};
    ngtcp2_path path = path_of(client);
    make_tls(client, alpn);
    ngtcp2_settings_default(&settings);
    settings.initial_ts = now_ns();
    settings.max_tx_udp_payload_size = PACKET_SIZE;
    settings.no_pmtud = 1;
    ngtcp2_transport_params_default(&params);
    params.initial_max_streams_uni = 3;
    params.initial_max_stream_data_bidi_local = 1U << 20;
    params.initial_max_data = 1U << 24;
    params.max_idle_timeout = 60 * NS;
    params.active_connection_id_limit = 7;
    fill_random(there.data, there.datalen, NULL);
    fill_random(here.data, here.datalen, NULL);
    if (ngtcp2_conn_client_new(&client->transport, &there, &here, &path, NGTCP2_PROTO_VER_V1,
                               &callbacks, &settings, &params, NULL, client) != 0) {
        die("ngtcp2_conn_client_new");
    }
    ngtcp2_conn_set_tls_native_handle(client->transport, client->tls);
}

/* ---- Sending ---- */

/* A stream with something to send, opened if there is credit for it; or NULL. */
static struct stream *next_stream(struct client *client)
{
    struct stream *stream;
    TAILQ_FOREACH(stream, &client->streams, link)
    {
        bool wants = stream->sent < stream->size || (stream->fin && !stream->fin_sent);
        if (stream->stuck || !wants) {
            continue;
        }
        if (stream->id < 0 &&
            ngtcp2_conn_open_bidi_stream(client->transport, &stream->id, stream) != 0) {
            stream->stuck = true;
            continue;
        }
        return stream;
    }
    return NULL;
}

static void send_all(struct client *client)
{
    uint8_t packet[PACKET_SIZE];
    for (;;) {
        bool up = ngtcp2_conn_get_handshake_completed(client->transport) != 0;
        struct stream *stream = up ? next_stream(client) : NULL;
        ngtcp2_vec data = {NULL, 0};
        ngtcp2_ssize taken = -1;
        uint32_t flags = 0;
        if (stream != NULL) {
            data = (ngtcp2_vec){stream->bytes + stream->sent, stream->size - stream->sent};
            flags = stream->fin ? NGTCP2_WRITE_STREAM_FLAG_FIN : 0;
        }
        ngtcp2_ssize size = ngtcp2_conn_writev_stream(
            client->transport, NULL, NULL, packet, sizeof packet, &taken, flags,
            stream == NULL ? -1 : stream->id, &data, stream == NULL ? 0 : 1, now_ns());
        if (stream != NULL && taken >= 0) {
            stream->sent += (size_t)taken;
            stream->fin_sent = stream->fin && stream->sent == stream->size;
        }
        if (size == NGTCP2_ERR_STREAM_SHUT_WR || size == NGTCP2_ERR_STREAM_DATA_BLOCKED ||
            size == NGTCP2_ERR_STREAM_NOT_FOUND) {
            stream->stuck = true;
            continue;
        }
        if (size <= 0) {
            break;
        }
        if (!client->mute) {
            (void)!send(client->socket, packet, (size_t)size, 0);
        }
    }
    ngtcp2_conn_update_pkt_tx_time(client->transport, now_ns());
}

static void say_closed(struct client *client)
{
    quic_compat_error error;
    quic_compat_error_default(&error);
#if NGTCP2_VERSION_NUM >= 0x010000
    error = *ngtcp2_conn_get_ccerr(client->transport);
    bool application = error.type == NGTCP2_CCERR_TYPE_APPLICATION;
#else
    ngtcp2_conn_get_connection_close_error(client->transport, &error);
    bool application = error.type == NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_APPLICATION;
#endif
    printf("closed %s %u\n", application ? "application" : "transport", (unsigned)error.error_code);
    exit(0);
}

static void on_code(struct client *client, int code)
{
    if (code == NGTCP2_ERR_DRAINING) {
        say_closed(client);
    }
    if (code != 0) {
        printf("closed silent %s\n", ngtcp2_strerror(code));
        exit(0);
    }
}

static void receive(struct client *client)
{
    uint8_t packet[65536];
    ssize_t size;
    while ((size = recv(client->socket, packet, sizeof packet, MSG_DONTWAIT)) > 0) {
        ngtcp2_path path = path_of(client);
        on_code(client, ngtcp2_conn_read_pkt(client->transport, &path, NULL, packet, (size_t)size,
                                             now_ns()));
    }
}

/* ---- Commands ---- */

static struct stream *find_stream(struct client *client, unsigned tag)
{
    struct stream *stream;
    TAILQ_FOREACH(stream, &client->streams, link)
    {
        if (stream->tag == tag) {
            return stream;
        }
    }
    stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        die("calloc");
    }
    stream->tag = tag;
    stream->id = -1;
    /* Its octets must stay where they are until they are acknowledged. */
    stream->bytes = malloc(LINE_MAX_OCTETS);
    if (stream->bytes == NULL) {
        die("malloc");
    }
    TAILQ_INSERT_TAIL(&client->streams, stream, link);
    return stream;
}

static void append(struct stream *stream, const char *hex)
{
    unsigned octet;
    for (; sscanf(hex, "%2x", &octet) == 1 && stream->size < LINE_MAX_OCTETS; hex += 2) {
        stream->bytes[stream->size++] = (uint8_t)octet;
    }
}

static void command(struct client *client, char *line)
{
    char *verb = strtok(line, " ");
    char *first = strtok(NULL, " ");
    char *second = strtok(NULL, " ");
    char *third = strtok(NULL, " ");
    if (verb == NULL) {
        return;
    }
    if (strcmp(verb, "send") == 0 && second != NULL) {
        struct stream *stream = find_stream(client, (unsigned)atoi(first));
        bool only_fin = strcmp(second, "fin") == 0;
        append(stream, only_fin ? "" : second);
        stream->fin = third != NULL || only_fin;
    } else if (strcmp(verb, "cancel") == 0 && first != NULL) {
        quic_compat_shutdown(client->transport, find_stream(client, (unsigned)atoi(first))->id, 3);
    } else if (strcmp(verb, "rebind") == 0 && first != NULL) {
        struct sockaddr_storage told;
        memcpy(&told, &client->local, sizeof client->local);
        int before = client->socket;
        client->socket = open_socket(client, first);
        memcpy(&client->local, &told, sizeof client->local);
        close(before);
        printf("rebound\n");
    } else if (strcmp(verb, "mute") == 0) {
        client->mute = true;
    } else if (strcmp(verb, "close") == 0) {
        uint8_t packet[PACKET_SIZE];
        quic_compat_error error;
        quic_compat_error_default(&error);
        quic_compat_error_application(&error, 0, NULL, 0);
        ngtcp2_ssize size = ngtcp2_conn_write_connection_close(
            client->transport, NULL, NULL, packet, sizeof packet, &error, now_ns());
        (void)!send(client->socket, packet, size > 0 ? (size_t)size : 0, 0);
        exit(0);
    }
}

static void read_commands(struct client *client)
{
    ssize_t got = read(STDIN_FILENO, client->line + client->line_size,
                       sizeof client->line - client->line_size - 1);
    if (got <= 0) {
        exit(0);
    }
    client->line_size += (size_t)got;
    char *end;
    while ((end = memchr(client->line, '\n', client->line_size)) != NULL) {
        *end = '\0';
        size_t used = (size_t)(end + 1 - client->line);
        command(client, client->line);
        memmove(client->line, end + 1, client->line_size - used);
        client->line_size -= used;
    }
}

static void run(struct client *client)
{
    for (;;) {
        struct pollfd wait[] = {{.fd = client->socket, .events = POLLIN},
                                {.fd = STDIN_FILENO, .events = POLLIN}};
        send_all(client);
        fflush(stdout);
        uint64_t expiry = ngtcp2_conn_get_expiry(client->transport);
        uint64_t now = now_ns();
        uint64_t ms = expiry <= now ? 0 : (expiry - now) / 1000000 + 1;
        (void)poll(wait, 2, ms > 60000 ? 60000 : (int)ms);
        if (wait[0].revents != 0) {
            receive(client);
        }
        if (wait[1].revents != 0) {
            read_commands(client);
        }
        if (ngtcp2_conn_get_expiry(client->transport) <= now_ns()) {
            on_code(client, ngtcp2_conn_handle_expiry(client->transport, now_ns()));
        }
    }
}

/* ---- Half-open handshakes ---- */

static void half_open(struct client *client, const char *local, unsigned count)
{
    struct pollfd *sockets = calloc(count, sizeof *sockets);
    unsigned retries = 0;
    unsigned others = 0;
    ssize_t octets = 0;
    for (unsigned i = 0; sockets != NULL && i < count; i++) {
        uint8_t packet[PACKET_SIZE];
        sockets[i] = (struct pollfd){.fd = open_socket(client, local), .events = POLLIN};
        make_transport(client, "doq");
        ngtcp2_ssize size =
            ngtcp2_conn_write_pkt(client->transport, NULL, NULL, packet, sizeof packet, now_ns());
        (void)!send(sockets[i].fd, packet, size > 0 ? (size_t)size : 0, 0);
    }
    while (sockets != NULL && poll(sockets, count, 1000) > 0) {
        for (unsigned i = 0; i < count; i++) {
            uint8_t packet[2048];
            ssize_t size = recv(sockets[i].fd, packet, sizeof packet, MSG_DONTWAIT);
            if (size > 0) {
                octets += size;
                bool retry = (packet[0] & 0xf0) == 0xf0;
                *(retry ? &retries : &others) += 1;
            }
        }
    }
    printf("retries %u others %u octets %zd\n", retries, others, octets);
    free(sockets);
}

int main(int argc, char **argv)
{
    static struct client client;
    if (argc < 5) {
        fprintf(stderr, "usage: quic_client LOCAL SERVER PORT ALPN [SESSION]\n");
        return 2;
    }
    TAILQ_INIT(&client.streams);
    read_address(argv[2], (uint16_t)atoi(argv[3]), &client.server, &client.address_size);
    if (argc > 5 && strcmp(argv[4], "half-open") == 0) {
        half_open(&client, argv[1], (unsigned)atoi(argv[5]));
        return 0;
    }
    client.socket = open_socket(&client, argv[1]);
    make_transport(&client, argv[4]);
    if (argc > 5) {
        resume(&client, argv[5]);
    }
    run(&client);
}
