/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reading a query's OPT record, writing the one of an answer made here, and its server cookie.
 * Not a parser of records: those before the OPT are stepped over by their lengths, and of the
 * options only COOKIE, ECS, SDE and EDE are looked at. The hash of the cookie is libknot's.
 */
#include "forwarder/wire/edns.h"

#include <assert.h>
#include <libknot/cookies.h>
#include <netinet/in.h>
#include <string.h>

#include "forwarder/wire/opt_record.h"

#define INFO_CODE_SIZE 2

static_assert(OPT_RECORD_FIXED == KNOT_EDNS_MIN_SIZE &&
                  OPT_RECORD_OPTION == KNOT_EDNS_OPTION_HDRLEN,
              "RFC 6891 section 6.1.2");
static_assert(EDNS_COOKIE_CLIENT == KNOT_EDNS_COOKIE_CLNT_SIZE, "RFC 7873 section 4");
static_assert(EDNS_COOKIE_MAX == KNOT_EDNS_COOKIE_CLNT_SIZE + KNOT_EDNS_COOKIE_SRVR_MAX_SIZE,
              "RFC 7873 section 4");
static_assert(EDNS_COOKIE_SECRET == KNOT_EDNS_COOKIE_SECRET_SIZE, "RFC 9018 section 4.4");

struct record {
    bool root_owner;
    uint16_t type;
    uint16_t class;
    uint32_t ttl;
    struct span rdata;
};

/* Steps over an owner name; a compression pointer ends it. True for the root, spelled out. */
static bool read_owner(struct span_reader *reader)
{
    uint8_t length = span_read_u8(reader);
    bool root = length == 0;
    while (length != 0) {
        if (dns_is_pointer(length)) {
            span_read_u8(reader);
            return false;
        }
        if (length > DNS_LABEL_MAX) {
            reader->failed = true;
            return false;
        }
        span_read(reader, length);
        length = span_read_u8(reader);
    }
    return root;
}

static struct record read_record(struct span_reader *reader)
{
    bool root_owner = read_owner(reader);
    struct span fixed = span_read(reader, DNS_RECORD_FIXED);
    if (fixed.size == 0) {
        return (struct record){0};
    }
    return (struct record){
        .root_owner = root_owner,
        .type = span_u16(fixed.bytes),
        .class = span_u16(fixed.bytes + 2),
        .ttl = span_u32(fixed.bytes + 4),
        .rdata = span_read(reader, span_u16(fixed.bytes + 8)),
    };
}

/* A client cookie alone, or with a server cookie (RFC 7873 section 4). */
static bool cookie_is_well_formed(struct span cookie)
{
    return cookie.size == EDNS_COOKIE_CLIENT ||
           (cookie.size >= EDNS_COOKIE_CLIENT + KNOT_EDNS_COOKIE_SRVR_MIN_SIZE &&
            cookie.size <= EDNS_COOKIE_MAX);
}

/* An EDE of INFO-CODE 0 and no more: in a query it reports nothing. */
static bool is_bare_ede(uint16_t code, struct span data)
{
    return code == KNOT_EDNS_OPTION_EDE && data.size == INFO_CODE_SIZE && data.bytes[0] == 0 &&
           data.bytes[1] == 0;
}

/* Of several, none is taken: they may tell different networks. */
static void take_ecs(struct span data, struct edns_query *out)
{
    struct ecs ecs;
    bool takes = !out->subnet && ecs_decode(data, &ecs) && ecs.scope == 0;
    out->ecs = takes ? data : (struct span){0};
    out->subnet = true;
}

/* Reads the options; false: up to the first whose length does not fit. */
static bool take_options(struct span options, struct edns_query *out)
{
    struct span_reader reader = span_reader(options);
    bool has_cookie = false;
    while (reader.at < options.size) {
        uint16_t code = span_read_u16(&reader);
        struct span data = span_read(&reader, span_read_u16(&reader));
        if (reader.failed) {
            return false;
        }
        if (code == KNOT_EDNS_OPTION_COOKIE && !has_cookie) {
            has_cookie = true;
            out->cookie = cookie_is_well_formed(data) ? data : (struct span){0};
        }
        if (code == KNOT_EDNS_OPTION_CLIENT_SUBNET) {
            take_ecs(data, out);
        }
        out->structured |= code == EDNS_OPTION_SDE || is_bare_ede(code, data);
    }
    return true;
}

/* CLASS and TTL of an OPT are its fields (RFC 6891 section 6.1.3). False: not all of its options
 * could be read. */
static bool take_opt(const struct record *opt, struct edns_query *out)
{
    if (out->present) {
        out->several = true;
        return true;
    }
    out->present = true;
    out->udp_size = opt->class < DNS_UDP_DEFAULT ? DNS_UDP_DEFAULT : opt->class;
    out->version = (uint8_t)(opt->ttl >> 16);
    out->dnssec_ok = (opt->ttl & KNOT_EDNS_DO_MASK) != 0;
    return take_options(opt->rdata, out);
}

void edns_query_decode(struct span message, const struct dns_question *question,
                       struct edns_query *out)
{
    *out = (struct edns_query){.udp_size = DNS_UDP_DEFAULT};
    struct dns_header header;
    if (!dns_header_decode(message, &header)) {
        return;
    }
    struct span_reader reader = span_reader(message);
    span_read(&reader, DNS_HEADER_SIZE + question->bytes.size);

    uint32_t before = (uint32_t)header.ancount + header.nscount;
    uint32_t records = before + header.arcount;
    bool whole = true;
    for (uint32_t i = 0; i < records && !reader.failed; i++) {
        struct record record = read_record(&reader);
        if (i >= before && record.type == DNS_TYPE_OPT && record.root_owner && !reader.failed) {
            whole = take_opt(&record, out) && whole;
        }
    }
    out->readable = whole && !reader.failed && reader.at == message.size;
}

static size_t options_size(const struct edns_answer *answer)
{
    size_t cookie = answer->cookie.size > 0 ? OPT_RECORD_OPTION + answer->cookie.size : 0;
    size_t error =
        answer->has_error ? OPT_RECORD_OPTION + INFO_CODE_SIZE + answer->extra_text.size : 0;
    size_t ecs = answer->ecs.size > 0 ? OPT_RECORD_OPTION + answer->ecs.size : 0;
    return cookie + ecs + error;
}

size_t edns_answer_size(const struct edns_answer *answer)
{
    return OPT_RECORD_FIXED + options_size(answer);
}

/* Root owner, type, and CLASS and TTL as fields of their own (RFC 6891 section 6.1.3). */
static void write_opt_fixed(struct span_writer *writer, const struct edns_answer *answer,
                            size_t options)
{
    uint8_t *room = span_write_room(writer, OPT_RECORD_FIXED);
    if (room == NULL) {
        return;
    }
    room[0] = 0;
    span_put_u16(room + 1, DNS_TYPE_OPT);
    span_put_u16(room + 3, EDNS_UDP_SIZE);
    room[5] = answer->extended_rcode;
    room[6] = KNOT_EDNS_VERSION;
    span_put_u16(room + 7, answer->dnssec_ok ? KNOT_EDNS_DO_MASK : 0);
    span_put_u16(room + 9, (uint16_t)options);
}

static void write_option_fixed(struct span_writer *writer, uint16_t code, size_t size)
{
    uint8_t *room = span_write_room(writer, OPT_RECORD_OPTION);
    if (room != NULL) {
        span_put_u16(room, code);
        span_put_u16(room + 2, (uint16_t)size);
    }
}

/* What was answered holds for all of the network that was told (RFC 7871 section 7.2.1). */
static void write_ecs(struct span_writer *writer, struct span ecs)
{
    struct span_reader reader = span_reader(ecs);
    write_option_fixed(writer, KNOT_EDNS_OPTION_CLIENT_SUBNET, ecs.size);
    span_write_u16(writer, span_read_u16(&reader)); /* FAMILY */
    uint8_t source = span_read_u8(&reader);
    span_write_u8(writer, source);
    span_write_u8(writer, source);
    span_write(writer, (struct span){ecs.bytes + ECS_FIXED, ecs.size - ECS_FIXED});
}

void edns_answer_encode(struct span_writer *writer, const struct edns_answer *answer)
{
    size_t size = edns_answer_size(answer);
    uint8_t *room = size <= DNS_MESSAGE_MAX ? span_write_room(writer, size) : NULL;
    if (room == NULL) {
        writer->failed = true;
        return;
    }
    /* A writer that nobody else knows is kept in registers. */
    struct span_writer opt = span_writer(room, size);
    write_opt_fixed(&opt, answer, size - OPT_RECORD_FIXED);
    if (answer->cookie.size > 0) {
        write_option_fixed(&opt, KNOT_EDNS_OPTION_COOKIE, answer->cookie.size);
        span_write(&opt, answer->cookie);
    }
    if (answer->ecs.size > 0) {
        write_ecs(&opt, answer->ecs);
    }
    if (answer->has_error) {
        write_option_fixed(&opt, KNOT_EDNS_OPTION_EDE, INFO_CODE_SIZE + answer->extra_text.size);
        span_write_u16(&opt, answer->info_code);
        span_write(&opt, answer->extra_text);
    }
}

/* libknot takes the client's address as a socket address; only family and address count. */
static struct sockaddr_storage client_sockaddr(struct span client)
{
    struct sockaddr_storage storage = {0};
    if (client.size == sizeof(struct in_addr)) {
        struct sockaddr_in in = {.sin_family = AF_INET};
        memcpy(&in.sin_addr, client.bytes, sizeof in.sin_addr);
        memcpy(&storage, &in, sizeof in);
    } else if (client.size == sizeof(struct in6_addr)) {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
        memcpy(&in6.sin6_addr, client.bytes, sizeof in6.sin6_addr);
        memcpy(&storage, &in6, sizeof in6);
    }
    return storage;
}

size_t edns_cookie_answer(const struct edns_query *query, const struct edns_cookie_env *env,
                          uint8_t out[static EDNS_COOKIE_MAX])
{
    struct span_writer writer = span_writer(out, EDNS_COOKIE_MAX);
    span_write(&writer, query->cookie);
    if (query->cookie.size != EDNS_COOKIE_CLIENT) {
        return writer.size;
    }
    struct sockaddr_storage client = client_sockaddr(env->client);
    knot_edns_cookie_params_t params = {
        .version = KNOT_EDNS_COOKIE_VERSION,
        .timestamp = env->now,
        .client_addr = &client,
    };
    memcpy(params.secret, env->secret, sizeof params.secret);
    knot_edns_cookie_t client_cookie = {.len = EDNS_COOKIE_CLIENT};
    memcpy(client_cookie.data, query->cookie.bytes, EDNS_COOKIE_CLIENT);
    knot_edns_cookie_t server_cookie;
    if (knot_edns_cookie_server_generate(&server_cookie, &client_cookie, &params) != KNOT_EOK) {
        return 0;
    }
    span_write(&writer, (struct span){server_cookie.data, server_cookie.len});
    return writer.size;
}
