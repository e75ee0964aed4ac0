/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * forwarder.conf: every default, every key, what only a start can change, and that the committed
 * example is true. Mistakes are in check_config_errors.c.
 */
#include "forwarder/config/config.h"

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "geo/address.h"
#include "geo/file_bytes.h"
#include "test/config_text.h"
#include "test/suite.h"

static void expect_socket(const struct config_address *address, const char *text, uint16_t port)
{
    char shown[INET6_ADDRSTRLEN];
    if (address->sockaddr.ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&address->sockaddr;
        ck_assert_uint_eq(address->size, sizeof *ipv4);
        ck_assert_uint_eq(ntohs(ipv4->sin_port), port);
        inet_ntop(AF_INET, &ipv4->sin_addr, shown, sizeof shown);
    } else {
        const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&address->sockaddr;
        ck_assert_uint_eq(address->sockaddr.ss_family, AF_INET6);
        ck_assert_uint_eq(address->size, sizeof *ipv6);
        ck_assert_uint_eq(ntohs(ipv6->sin6_port), port);
        inet_ntop(AF_INET6, &ipv6->sin6_addr, shown, sizeof shown);
    }
    ck_assert_str_eq(shown, text);
}

START_TEST(defaults)
{
    struct config *config = parse_good(MINIMAL);
    ck_assert_str_eq(config->path, "/etc/bailiwick/forwarder.conf");
    ck_assert_uint_eq(config->listen_count, 2);
    expect_socket(&config->listen[0].address, "127.0.0.1", 53);
    ck_assert(config->listen[0].transport == CONFIG_UDP &&
              config->listen[1].transport == CONFIG_TCP);
    expect_socket(&config->listen[1].address, "127.0.0.1", 53);
    ck_assert_uint_eq(config->workers, 0);
    ck_assert_ptr_null(config->allow);

    const struct config_upstream *upstream = &config->upstream;
    ck_assert_uint_eq(upstream->server_count, 1);
    ck_assert_str_eq(upstream->servers[0].host, "192.0.2.53");
    ck_assert(upstream->servers[0].is_address);
    ck_assert_uint_eq(upstream->servers[0].port, 53);
    ck_assert_uint_eq(upstream->bootstrap_count, 0);
    ck_assert_int_eq(upstream->balance, CONFIG_BALANCE_LEAST_OUTSTANDING);
    ck_assert_uint_eq(upstream->retry_after_ms, 1000);
    ck_assert_uint_eq(upstream->timeout_ms, 8000);
    ck_assert(upstream->health_check.enabled);
    ck_assert_str_eq(upstream->health_check.name, ".");
    ck_assert_uint_eq(upstream->health_check.type, 2);
    ck_assert_uint_eq(upstream->health_check.interval_ms, 5000);
    ck_assert_uint_eq(upstream->health_check.down_after, 3);
    ck_assert_uint_eq(upstream->health_check.up_after, 2);

    ck_assert_str_eq(config->geo_database, "/etc/bailiwick/a.mmdb");
    ck_assert_int_eq(config->geo_field, GEO_FIELD_COUNTRY);
    ck_assert_ptr_null(config->geo_overrides);
    ck_assert_int_eq(config->geo_max_age_s, 60 * 86400);
    ck_assert_str_eq(config->orders, "/etc/bailiwick/orders");
    ck_assert(config->watch);
    ck_assert_str_eq(config->state, "/var/lib/bailiwick");
    ck_assert_int_eq(config->block.action, ORDER_REFUSED);
    ck_assert_uint_eq(config->block.ttl_s, 60);
    ck_assert_uint_eq(config->block.contact_count, 0);
    ck_assert_ptr_null(config->block.organization);
    ck_assert_ptr_null(config->block.protected_names);
    ck_assert_ptr_null(config->block.protected_networks);
    ck_assert_ptr_null(config->block.cookie_secret);
    ck_assert(!config->resolver_arpa_nodata);
    ck_assert_uint_eq(config->limits.tcp_connections, 20000);
    ck_assert_uint_eq(config->limits.tcp_per_client, 100);
    ck_assert_uint_eq(config->limits.tcp_idle_ms, 30000);
    ck_assert_uint_eq(config->limits.in_flight, 65536);
    ck_assert_uint_eq(config->limits.stream_output, 256 * 1024);
    ck_assert_uint_eq(config->limits.receive_buffer, 0);
    ck_assert_uint_eq(config->rate_limit.answers, 0);
    ck_assert_uint_eq(config->rate_limit.queries, 0);
    ck_assert_uint_eq(config->rate_limit.slip, 2);
    ck_assert_ptr_null(config->rate_limit.exempt);
    ck_assert_str_eq(config->control, "/run/bailiwick/control.sock");
    ck_assert(!config->metrics.enabled);
    ck_assert_ptr_null(config->user);
    ck_assert(config->sandbox);
    ck_assert_int_eq(config->log_level, LOG_LEVEL_INFO);
    config_free(config);
}
END_TEST

static const char everything[] =
    "listen:\n"
    "  - {address: 192.0.2.1, port: 5300, transport: [tcp], proxy-protocol: yes}\n"
    "  - {address: \"2001:db8::1\", transport: udp}\n"
    "  - {address: \"fe80::1%lo\", proxy-protocol: no}\n"
    "  - {address: \"::ffff:192.0.2.2\"}\n"
    "  - {address: \"::\"}\n"
    "  - {address: 192.0.2.3, transport: [tls, https], proxy-protocol: inside-tls,\n"
    "    certificate: own/chain.pem, key: /srv/key.pem}\n"
    "  - {address: 192.0.2.3, transport: [udp, quic], certificate: a, key: b}\n"
    "  - {address: 192.0.2.4, port: 8053, transport: https, tls: no}\n"
    "workers: 4\n"
    "allow: [192.0.2.0/24, \"2001:db8::/32\"]\n"
    "upstream:\n"
    "  servers:\n"
    "    - {address: resolver.example., port: 5353, transport: dns}\n"
    "    - {address: \"fe80::2%lo\"}\n"
    "  bootstrap: [192.0.2.7, {address: 192.0.2.8, port: 54}]\n"
    "  balance: client-hash\n"
    "  retry-after: 500ms\n"
    "  timeout: 2m\n"
    "  health-check: {name: Example.COM., type: soa, interval: 1h,\n"
    "    down-after: 1, up-after: 100}\n"
    "  send-client: no\n"
    "geo:\n"
    "  database: /srv/country.mmdb\n"
    "  country-field: registered_country\n"
    "  overrides: own/overrides.csv\n"
    "  max-age: 7d\n"
    "orders: orders/\n"
    "watch: no\n"
    "state: /srv/state\n"
    "block:\n"
    "  action: nxdomain\n"
    "  ttl: 5m\n"
    "  contact: [mailto:abuse@example.org, https://example.org/block]\n"
    "  organization: Example Networks\n"
    "  protected-names: protected.txt\n"
    "  protected-networks: networks.txt\n"
    "  cookie-secret: cookie\n"
    "resolver-arpa: nodata\n"
    "trust: {proxy-protocol: [192.0.2.9], ecs: [\"2001:db8::/32\"], forwarded-for: []}\n"
    "limits:\n"
    "  tcp-connections: 10\n"
    "  tcp-per-client: 11\n"
    "  tcp-idle: 500ms\n"
    "  in-flight: 12\n"
    "  stream-output: 1 MiB\n"
    "  receive-buffer: 8 MiB\n"
    "rate-limit: {answers: 20, slip: 3, queries: 1000000, exempt: [192.0.2.0/24]}\n"
    "control: run/control.sock\n"
    "metrics: {address: \"2001:db8::9\", port: 9000}\n"
    "user: bailiwick\n"
    "sandbox: no\n"
    "dnstap: {socket: tap.sock, queries: all, identity: ns1}\n"
    "log: {level: debug, format: json}\n";

static bool trusts(const struct network_set *set, const char *text)
{
    struct address address;
    ck_assert(address_parse(text, strlen(text), &address));
    return network_set_contains(set, &address);
}

static bool allows(const struct config *config, const char *text)
{
    return trusts(config->allow, text);
}

/* The items of `everything` that TLS is in, or is taken off in front of. */
static void expect_encrypted(const struct config *config)
{
    const struct config_listen *listen = &config->listen[8];
    expect_socket(&listen[0].address, "192.0.2.3", 853);
    ck_assert_int_eq(listen[0].transport, CONFIG_TLS);
    ck_assert_str_eq(listen[0].certificate, "/etc/bailiwick/own/chain.pem");
    ck_assert_str_eq(listen[0].key, "/srv/key.pem");
    ck_assert_int_eq(listen[0].proxy, CONFIG_PROXY_INSIDE);
    expect_socket(&listen[1].address, "192.0.2.3", 443);
    ck_assert_int_eq(listen[1].transport, CONFIG_HTTPS);
    ck_assert_uint_eq(listen[1].item, 5);
    expect_socket(&listen[2].address, "192.0.2.3", 53);
    expect_socket(&listen[3].address, "192.0.2.3", 853);
    ck_assert_int_eq(listen[3].transport, CONFIG_QUIC);
    ck_assert_ptr_null(listen[2].certificate);
    ck_assert_ptr_nonnull(listen[3].certificate);
    expect_socket(&listen[4].address, "192.0.2.4", 8053);
    ck_assert(listen[4].cleartext && listen[4].transport == CONFIG_HTTPS);
    ck_assert_ptr_null(listen[4].certificate);
}

static void expect_listen(const struct config *config)
{
    ck_assert_uint_eq(config->listen_count, 13);
    expect_socket(&config->listen[0].address, "192.0.2.1", 5300);
    ck_assert_int_eq(config->listen[0].transport, CONFIG_TCP);
    ck_assert_int_eq(config->listen[0].proxy, CONFIG_PROXY_FIRST);
    expect_socket(&config->listen[1].address, "2001:db8::1", 53);
    ck_assert_int_eq(config->listen[1].transport, CONFIG_UDP);
    expect_socket(&config->listen[2].address, "fe80::1", 53);
    ck_assert_uint_ne(
        ((const struct sockaddr_in6 *)&config->listen[2].address.sockaddr)->sin6_scope_id, 0);
    expect_socket(&config->listen[4].address, "192.0.2.2", 53);
    expect_socket(&config->listen[6].address, "::", 53);
    expect_encrypted(config);
}

static void expect_clients(const struct config *config)
{
    ck_assert(trusts(config->trust.proxy_protocol, "192.0.2.9"));
    ck_assert(trusts(config->trust.ecs, "2001:db8::7") && !trusts(config->trust.ecs, "192.0.2.9"));
    ck_assert_ptr_null(config->trust.forwarded_for);
    ck_assert_uint_eq(config->workers, 4);
    ck_assert(allows(config, "192.0.2.9") && allows(config, "2001:db8::9"));
    ck_assert(!allows(config, "198.51.100.1"));
}

static void expect_upstream(const struct config *config)
{
    const struct config_upstream *upstream = &config->upstream;
    ck_assert_uint_eq(upstream->server_count, 2);
    ck_assert_str_eq(upstream->servers[0].host, "resolver.example.");
    ck_assert(!upstream->servers[0].is_address);
    ck_assert_uint_eq(upstream->servers[0].port, 5353);
    ck_assert(upstream->servers[1].is_address);
    ck_assert_uint_ne(upstream->servers[1].scope_id, 0);
    ck_assert_uint_eq(upstream->bootstrap_count, 2);
    ck_assert_str_eq(upstream->bootstrap[0].host, "192.0.2.7");
    ck_assert_uint_eq(upstream->bootstrap[0].port, 53);
    ck_assert_uint_eq(upstream->bootstrap[1].port, 54);
    ck_assert_int_eq(upstream->balance, CONFIG_BALANCE_CLIENT_HASH);
    ck_assert_uint_eq(upstream->retry_after_ms, 500);
    ck_assert_uint_eq(upstream->timeout_ms, 120000);
    ck_assert_str_eq(upstream->health_check.name, "example.com");
    ck_assert_uint_eq(upstream->health_check.type, 6);
    ck_assert_uint_eq(upstream->health_check.interval_ms, 3600000);
    ck_assert_uint_eq(upstream->health_check.down_after, 1);
    ck_assert_uint_eq(upstream->health_check.up_after, 100);
}

static void expect_files(const struct config *config)
{
    ck_assert_str_eq(config->geo_database, "/srv/country.mmdb");
    ck_assert_int_eq(config->geo_field, GEO_FIELD_REGISTERED);
    ck_assert_str_eq(config->geo_overrides, "/etc/bailiwick/own/overrides.csv");
    ck_assert_int_eq(config->geo_max_age_s, 7 * 86400);
    ck_assert_str_eq(config->orders, "/etc/bailiwick/orders");
    ck_assert(!config->watch);
    ck_assert_str_eq(config->state, "/srv/state");
}

static void expect_block(const struct config *config)
{
    ck_assert_int_eq(config->block.action, ORDER_NXDOMAIN);
    ck_assert_uint_eq(config->block.ttl_s, 300);
    ck_assert_uint_eq(config->block.contact_count, 2);
    ck_assert_str_eq(config->block.contacts[0], "mailto:abuse@example.org");
    ck_assert_str_eq(config->block.contacts[1], "https://example.org/block");
    ck_assert_str_eq(config->block.organization, "Example Networks");
    ck_assert_str_eq(config->block.protected_names, "/etc/bailiwick/protected.txt");
    ck_assert_str_eq(config->block.protected_networks, "/etc/bailiwick/networks.txt");
    ck_assert_str_eq(config->block.cookie_secret, "/etc/bailiwick/cookie");
}

static void expect_limits(const struct config *config)
{
    ck_assert_uint_eq(config->limits.tcp_connections, 10);
    ck_assert_uint_eq(config->limits.tcp_per_client, 11);
    ck_assert_uint_eq(config->limits.tcp_idle_ms, 500);
    ck_assert_uint_eq(config->limits.in_flight, 12);
    ck_assert_uint_eq(config->limits.stream_output, 1048576);
    ck_assert_uint_eq(config->limits.receive_buffer, 8 * 1048576);
    ck_assert_uint_eq(config->rate_limit.answers, 20);
    ck_assert_uint_eq(config->rate_limit.slip, 3);
    ck_assert_uint_eq(config->rate_limit.queries, 1000000);
    ck_assert(trusts(config->rate_limit.exempt, "192.0.2.9"));
}

static void expect_running(const struct config *config)
{
    ck_assert_str_eq(config->control, "/etc/bailiwick/run/control.sock");
    ck_assert(config->metrics.enabled);
    expect_socket(&config->metrics.address, "2001:db8::9", 9000);
    ck_assert_str_eq(config->user, "bailiwick");
    ck_assert(!config->sandbox);
    ck_assert_int_eq(config->log_level, LOG_LEVEL_DEBUG);
    ck_assert_int_eq(config->log_format, LOG_FORMAT_JSON);
    ck_assert_str_eq(config->dnstap.socket, "/etc/bailiwick/tap.sock");
    ck_assert_ptr_null(config->dnstap.file);
    ck_assert_int_eq(config->dnstap.queries, CONFIG_DNSTAP_ALL);
    ck_assert_str_eq(config->dnstap.identity, "ns1");
}

START_TEST(every_key)
{
    struct config *config = parse_good(everything);
    expect_listen(config);
    expect_clients(config);
    expect_upstream(config);
    expect_files(config);
    expect_block(config);
    ck_assert(config->resolver_arpa_nodata);
    expect_limits(config);
    expect_running(config);
    config_free(config);
}
END_TEST

static const struct {
    const char *label;
    const char *yaml;
} accepted[] = {
    {"health check off",
     LISTEN "upstream: {servers: [{address: 192.0.2.1}], health-check: no}\n" FILES},
    {"one contact", MINIMAL "block: {contact: \"tel:+390212345\"}\n"},
    {"contacts of every scheme",
     MINIMAL "block: {contact: [\"mailto:a%20b@c.example?subject=x&body=y\", \"sips:a@b.example\", "
             "\"https://[2001:db8::1]/a?b#c\"]}\n"},
    {"size in octets", MINIMAL "limits: {stream-output: 70000}\n"},
    {"size without a blank", MINIMAL "limits: {stream-output: 64KiB}\n"},
    {"workers by word", MINIMAL "workers: auto\n"},
    {"no TTL", MINIMAL "block: {ttl: 0s}\n"},
    {"same address, other port",
     "listen: [{address: 192.0.2.1}, {address: 192.0.2.1, port: 54}]\n" UPSTREAM FILES},
    {"same address, other transport", "listen: [{address: 192.0.2.1, transport: udp},"
                                      " {address: 192.0.2.1, transport: [tcp]}]\n" UPSTREAM FILES},
};

START_TEST(accepts)
{
    char errors[TEXT_MAX];
    struct config *config = parse(accepted[_i].yaml, errors);
    ck_assert_msg(config != NULL && errors[0] == '\0', "%s: %s", accepted[_i].label, errors);
    config_free(config);
}
END_TEST

static const struct {
    const char *config;
    const char *orders; /* behind the current folder, if relative */
} folders[] = {
    {"/forwarder.conf", "/orders"},
    {"/a/b/forwarder.conf", "/a/b/orders"},
    {"forwarder.conf", "orders"},
    {"a/forwarder.conf", "a/orders"},
    {"./a/../forwarder.conf", "./a/../orders"},
};

START_TEST(paths_start_from_the_folder)
{
    char expected[4096] = "";
    if (folders[_i].orders[0] != '/') {
        ck_assert_ptr_nonnull(getcwd(expected, sizeof expected - 64));
        strncat(expected, "/", 2);
    }
    strncat(expected, folders[_i].orders, 60);
    struct problem_list problems;
    problem_list_init(&problems);
    struct config *config =
        config_parse(folders[_i].config, MINIMAL, sizeof MINIMAL - 1, &problems);
    ck_assert_ptr_nonnull(config);
    ck_assert_str_eq(config->orders, expected);
    config_free(config);
    problem_list_fini(&problems);
}
END_TEST

static const struct {
    const char *label;
    const char *yaml;
    const char *key; /* NULL: no difference */
    unsigned up;     /* its line, from the last one */
    unsigned column;
} differences[] = {
    {"none", MINIMAL, NULL, 0, 0},
    {"what a reload takes", MINIMAL "block: {ttl: 1s}\nallow: [192.0.2.1]\nlog: {level: error}\n",
     NULL, 0, 0},
    {"listen", LISTENING("{address: 127.0.0.1, port: 54}"), NULL, 0, 0},
    {"workers", MINIMAL "workers: 2\n", NULL, 0, 0},
    {"upstream", SERVER("{address: 192.0.2.54}"), NULL, 0, 0},
    {"state", MINIMAL "state: /srv\n", "state", 0, 8},
    {"limits", MINIMAL "limits: {in-flight: 3}\n", "limits", 0, 9},
    {"limits: receive-buffer", MINIMAL "limits: {receive-buffer: 1MiB}\n", "limits", 0, 9},
    {"control", MINIMAL "control: /srv/c\nallow: [192.0.2.1]\n", "control", 1, 10},
    {"metrics", MINIMAL "metrics: {}\n", "metrics", 0, 10},
    {"dnstap", MINIMAL "dnstap: {file: /srv/tap}\n", "dnstap", 0, 9},
    {"user", MINIMAL "user: nobody\n", "user", 0, 7},
    {"sandbox", MINIMAL "sandbox: no\n", "sandbox", 0, 10},
};

static unsigned lines_of(const char *text)
{
    unsigned lines = 0;
    for (; *text != '\0'; text++) {
        lines += *text == '\n' ? 1 : 0;
    }
    return lines;
}

START_TEST(fixed_keys_are_compared)
{
    struct config *a = parse_good(MINIMAL);
    struct config *b = parse_good(differences[_i].yaml);
    size_t next = 0;
    struct config_place place = {0, 0};
    const char *key = config_fixed_difference(a, b, &next, &place);
    const char *expected = differences[_i].key;
    ck_assert_msg(expected == NULL ? key == NULL : key != NULL && strcmp(key, expected) == 0,
                  "%s: %s", differences[_i].label, key);
    if (expected != NULL) {
        ck_assert_uint_eq(place.line, lines_of(differences[_i].yaml) - differences[_i].up);
        ck_assert_uint_eq(place.column, differences[_i].column);
    }
    ck_assert_ptr_null(config_fixed_difference(a, b, &next, &place));
    config_free(a);
    config_free(b);
}
END_TEST

START_TEST(missing_file_is_a_problem)
{
    struct problem_list problems;
    problem_list_init(&problems);
    ck_assert_ptr_null(config_read("/nonexistent/forwarder.conf", &problems));
    ck_assert_uint_eq(problems.errors, 1);
    ck_assert_str_eq(problems.items[0].file, "/nonexistent/forwarder.conf");
    problem_list_fini(&problems);
}
END_TEST

/* Is this `#key:` or `#- key:`, which one may take the mark from? Prose has one blank behind its
 * mark. */
static bool is_marked_key(const char *line, size_t *indent)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz-";
    *indent = strspn(line, " ");
    const char *key = line + *indent + 1;
    size_t blanks = strspn(key, " ");
    key += blanks;
    key += strncmp(key, "- ", 2) == 0 ? 2 : 0;
    size_t size = strspn(key, letters);
    return line[*indent] == '#' && blanks != 1 && size > 0 && key[size] == ':';
}

/* The example, with the keys that are marked or without them. *marked is how many there are. The
 * caller frees it. */
static char *read_example(bool with_marked, size_t *marked)
{
    struct file_bytes file;
    char why[WHY_MAX];
    bool read = file_bytes_read(AT_FDCWD, "forwarder.conf.example", 1U << 20, &file, why);
    ck_assert_msg(read, "%s", why);
    char *out = calloc(1, file.size + 1), *end = out;
    *marked = 0;
    for (char *line = strtok(file.bytes, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        size_t indent;
        if (is_marked_key(line, &indent)) {
            (*marked)++;
            end += with_marked ? sprintf(end, "%.*s%s\n", (int)indent, line, line + indent + 1) : 0;
        } else if (line[indent] != '#') {
            end += sprintf(end, "%s\n", line);
        }
    }
    file_bytes_fini(&file);
    return out;
}

START_TEST(example_is_good)
{
    for (int with_marked = 0; with_marked < 2; with_marked++) {
        size_t marked;
        char *yaml = read_example(with_marked == 1, &marked);
        config_free(parse_good(yaml));
        ck_assert_uint_gt(marked, 50);
        free(yaml);
    }
}
END_TEST

static const char *const documented[] = {
    "listen",
    "address",
    "port",
    "transport",
    "proxy-protocol",
    "freebind",
    "certificate",
    "key",
    "tls",
    "workers",
    "allow",
    "upstream",
    "servers",
    "tls-name",
    "tls-ca",
    "ecs-ipv4",
    "ecs-ipv6",
    "bootstrap",
    "balance",
    "retry-after",
    "timeout",
    "health-check",
    "name",
    "type",
    "interval",
    "down-after",
    "up-after",
    "send-client",
    "geo",
    "database",
    "country-field",
    "overrides",
    "max-age",
    "orders",
    "state",
    "block",
    "action",
    "ttl",
    "contact",
    "organization",
    "protected-names",
    "protected-networks",
    "cookie-secret",
    "resolver-arpa",
    "trust",
    "ecs",
    "forwarded-for",
    "limits",
    "tcp-connections",
    "tcp-per-client",
    "tcp-idle",
    "in-flight",
    "stream-output",
    "receive-buffer",
    "rate-limit",
    "answers",
    "slip",
    "queries",
    "exempt",
    "control",
    "metrics",
    "dnstap",
    "socket",
    "file",
    "queries",
    "identity",
    "user",
    "sandbox",
    "log",
    "level",
    "format",
};

START_TEST(example_documents_every_key)
{
    struct file_bytes file;
    char wanted[64], why[WHY_MAX];
    bool read = file_bytes_read(AT_FDCWD, "forwarder.conf.example", 1U << 20, &file, why);
    ck_assert_msg(read, "%s", why);
    snprintf(wanted, sizeof wanted, "%s:", documented[_i]);
    bool found = false;
    for (char *at = file.bytes; !found && (at = strstr(at, wanted)) != NULL; at++) {
        found = strchr(" #{", at[-1]) != NULL || at[-1] == '\n';
    }
    file_bytes_fini(&file);
    ck_assert_msg(found, "%s", documented[_i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config");
    TCase *tcase = tcase_create("config");
    tcase_add_test(tcase, defaults);
    tcase_add_test(tcase, every_key);
    tcase_add_loop_test(tcase, accepts, 0, sizeof accepted / sizeof accepted[0]);
    tcase_add_loop_test(tcase, paths_start_from_the_folder, 0, sizeof folders / sizeof folders[0]);
    tcase_add_loop_test(tcase, fixed_keys_are_compared, 0,
                        sizeof differences / sizeof differences[0]);
    tcase_add_test(tcase, missing_file_is_a_problem);
    tcase_add_test(tcase, example_is_good);
    tcase_add_loop_test(tcase, example_documents_every_key, 0,
                        sizeof documented / sizeof documented[0]);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
