/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * forwarder.conf: every kind of mistake, with its place and its words, and all of them at once.
 */
#include "forwarder/config/config.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "test/config_text.h"
#include "test/suite.h"

#define TOP_KEYS                                                                          \
    "listen, workers, allow, upstream, geo, orders, watch, state, block, resolver-arpa, " \
    "trust, limits, rate-limit, control, user, sandbox, metrics, dnstap or log"

static const struct {
    const char *label;
    const char *yaml;
    const char *errors; /* all of them */
} refused[] = {
    {"empty file", "", "0:0: the file is empty\n"},
    {"unknown key", WITH("worker: 3\n"),
     "5:1: forwarder.conf has no key 'worker'; expected " TOP_KEYS "\n"},
    {"unknown key inside", ASKING("retry: 1s"),
     "2:45: upstream has no key 'retry'; expected servers, bootstrap, tls-ca, balance, "
     "retry-after, timeout, health-check, send-client, ecs-ipv4 or ecs-ipv6\n"},
    {"key given twice", WITH("workers: 3\nworkers: 3\n"),
     "6:1: the key 'workers' is given twice, first at line 5\n"},
    {"no keys at all", "{}\n",
     "1:1: forwarder.conf needs the key listen\n"
     "1:1: forwarder.conf needs the key upstream\n"
     "1:1: forwarder.conf needs the key geo\n"
     "1:1: forwarder.conf needs the key orders\n"},
    {"not a mapping", "[listen]\n", "1:1: forwarder.conf needs a mapping, not a list\n"},
    {"two documents", WITH("---\nworkers: 3\n"),
     "5:1: a second document begins: a file holds one\n"},
    {"section without keys", WITH("limits:\n"), "5:8: limits needs a mapping, not ''\n"},
    {"value left out", WITH("workers:\n"),
     "5:9: workers needs a value; leave the key out for its default\n"},
    {"list for a word", WITH("resolver-arpa: [forward]\n"),
     "5:16: resolver-arpa needs a single value, not a list\n"},
    {"mapping for a path", WITH("state: {a: b}\n"),
     "5:8: state needs a single value, not a mapping\n"},

    {"listen: word", "listen: 192.0.2.1\n" UPSTREAM FILES,
     "1:9: listen needs a list, not '192.0.2.1'\n"},
    {"listen: empty", "listen: []\n" UPSTREAM FILES, "1:9: listen needs 1 to 256 items, not 0\n"},
    {"listen: item is a word", LISTENING("192.0.2.1"),
     "1:10: listen needs a mapping, not '192.0.2.1'\n"},
    {"listen: no address", LISTENING("{port: 53}"), "1:10: listen needs the key address\n"},
    {"listen: a name", LISTENING("{address: localhost}"),
     "1:20: address needs an IPv4 or IPv6 address, not 'localhost'\n"},
    {"listen: short IPv4", LISTENING("{address: 192.0.2}"),
     "1:20: address needs an IPv4 or IPv6 address, not '192.0.2'\n"},
    {"listen: a network", LISTENING("{address: 192.0.2.0/24}"),
     "1:20: address needs an IPv4 or IPv6 address, not '192.0.2.0/24'\n"},
    {"listen: multicast", LISTENING("{address: 224.0.0.1}"),
     "1:20: address needs the address of one host, not '224.0.0.1'\n"},
    {"listen: IPv6 multicast", LISTENING("{address: \"ff02::1\"}"),
     "1:20: address needs the address of one host, not 'ff02::1'\n"},
    {"listen: link-local, no zone", LISTENING("{address: \"fe80::1\"}"),
     "1:20: address needs the zone of a link-local address (fe80::1%eth0), not 'fe80::1'\n"},
    {"listen: zone elsewhere", LISTENING("{address: \"2001:db8::1%lo\"}"),
     "1:20: address takes a zone with link-local addresses only, not '2001:db8::1%lo'\n"},
    {"listen: no such zone", LISTENING("{address: \"fe80::1%nowhere\"}"),
     "1:20: address needs an interface of this machine behind the %, not 'fe80::1%nowhere'\n"},
    {"listen: port 0", LISTENING("{address: 192.0.2.1, port: 0}"),
     "1:37: port needs a number from 1 to 65535, not '0'\n"},
    {"listen: port too large", LISTENING("{address: 192.0.2.1, port: 65536}"),
     "1:37: port needs a number from 1 to 65535, not '65536'\n"},
    {"listen: port overflows", LISTENING("{address: 192.0.2.1, port: 18446744073709551669}"),
     "1:37: port needs a number from 1 to 65535, not '18446744073709551669'\n"},
    {"listen: port is a word", LISTENING("{address: 192.0.2.1, port: dns}"),
     "1:37: port needs a number from 1 to 65535, not 'dns'\n"},
    {"listen: signed port", LISTENING("{address: 192.0.2.1, port: +53}"),
     "1:37: port needs a number from 1 to 65535, not '+53'\n"},
    {"listen: no transport", LISTENING("{address: 192.0.2.1, transport: []}"),
     "1:42: transport needs at least one item\n"},
    {"listen: odd transport", LISTENING("{address: 192.0.2.1, transport: [udp, sctp]}"),
     "1:48: transport needs one of udp, tcp, tls, https, quic, not 'sctp'\n"},
    {"listen: transport twice", LISTENING("{address: 192.0.2.1, transport: [udp, udp]}"),
     "1:48: transport udp is given twice\n"},
    {"listen: tls", LISTENING("{address: 192.0.2.1, transport: [tls]}"),
     "1:10: transports tls, https and quic need certificate and key\n"},
    {"listen: https", LISTENING("{address: 192.0.2.1, transport: https}"),
     "1:10: transports tls, https and quic need certificate and key\n"},
    {"listen: https without TLS and with a key",
     LISTENING("{address: 192.0.2.1, transport: https, tls: no, key: a}"),
     "1:10: certificate and key need transport tls, https or quic\n"},
    {"listen: tls without TLS", LISTENING("{address: 192.0.2.1, transport: tls, tls: no}"),
     "1:10: tls: no needs transport https alone\n"},
    {"listen: quic", LISTENING("{address: 192.0.2.1, transport: [udp, quic]}"),
     "1:10: transports tls, https and quic need certificate and key\n"},
    {"listen: quic behind PROXY",
     LISTENING(
         "{address: 192.0.2.1, transport: quic, proxy-protocol: yes, certificate: a, key: b}"),
     "1:10: proxy-protocol is not defined for transport quic\n"},
    {"listen: PROXY inside what is no TLS",
     LISTENING("{address: 192.0.2.1, proxy-protocol: inside-tls}"),
     "1:10: proxy-protocol: inside-tls needs transports tls and https alone\n"},
    {"listen: odd PROXY", LISTENING("{address: 192.0.2.1, proxy-protocol: v2}"),
     "1:47: proxy-protocol needs one of no, yes, inside-tls, not 'v2'\n"},
    {"listen: PROXY of nobody",
     LISTENING(
         "{address: 192.0.2.1}, {address: 192.0.2.2, proxy-protocol: yes}") "trust: "
                                                                            "{proxy-protocol: [], "
                                                                            "ecs: [192.0.2.9]}\n",
     "1:69: proxy-protocol needs peers in trust.proxy-protocol, and there are none: nobody would "
     "be served\n"},
    {"listen: certificate", LISTENING("{address: 192.0.2.1, certificate: a, key: b}"),
     "1:10: certificate and key need transport tls, https or quic\n"},
    {"listen: tls and https on one port",
     LISTENING("{address: 192.0.2.1, port: 853, transport: [tls, https], certificate: a, key: b}"),
     "1:10: item 1 has this address, port and transport already\n"},
    {"listen: twice", LISTENING("{address: 192.0.2.1}, {address: 192.0.2.1, transport: udp}"),
     "1:32: item 1 has this address, port and transport already\n"},
    {"listen: twice, one mapped",
     LISTENING("{address: 192.0.2.1}, {address: \"::ffff:192.0.2.1\"}"),
     "1:32: item 1 has this address, port and transport already\n"},

    {"listen: an upstream server",
     "listen: [{address: 192.0.2.1}, {address: \"2001:db8::1\", port: 5300}]\n"
     "upstream:\n"
     "  servers:\n"
     "    - {address: \"2001:db8::1\"}\n"
     "    - {address: \"2001:0db8::1\", port: 5300}\n"
     "geo: {database: x}\norders: x\n",
     "5:7: item 2 of listen has this address and port: expected another server, as each query "
     "would come back without end\n"},

    {"workers: 0", WITH("workers: 0\n"),
     "5:10: workers needs auto or a number from 1 to 1024, not '0'\n"},
    {"workers: too many", WITH("workers: 1025\n"),
     "5:10: workers needs auto or a number from 1 to 1024, not '1025'\n"},
    {"allow: empty", WITH("allow: []\n"), "5:8: allow needs 1 to 1000000 items, not 0\n"},
    {"allow: word", WITH("allow: 192.0.2.0/24\n"), "5:8: allow needs a list, not '192.0.2.0/24'\n"},
    {"allow: bits behind the prefix", WITH("allow: [192.0.2.1/24]\n"),
     "5:9: allow needs networks: \"192.0.2.1/24\" has bits set behind its prefix length; the "
     "network is 192.0.2.0/24\n"},

    {"upstream: no servers", LISTEN "upstream: {}\n" FILES,
     "2:11: upstream needs the key servers\n"},
    {"upstream: not there", LISTEN FILES, "1:1: forwarder.conf needs the key upstream\n"},
    {"server: nobody", SERVER("{address: 0.0.0.0}"),
     "2:32: address needs the address of a server, not '0.0.0.0'\n"},
    {"server: bad address", SERVER("{address: 192.0.2.256}"),
     "2:32: address needs an IPv4 or IPv6 address, not '192.0.2.256'\n"},
    {"server: address with port", SERVER("{address: 192.0.2.1:53}"),
     "2:32: address needs an IPv4 or IPv6 address, not '192.0.2.1:53'\n"},
    {"server: bad name", SERVER("{address: resolver..example}"),
     "2:32: address needs an address or a host name, not 'resolver..example'\n"},
    {"server: root", SERVER("{address: .}"),
     "2:32: address needs an IPv4 or IPv6 address, not '.'\n"},
    {"server: URL", SERVER("{address: https://resolver.example/}"),
     "2:32: address needs an IPv4 or IPv6 address, not 'https://resolver.example/'\n"},
    {"server: tls without a name", SERVER("{address: 192.0.2.1, transport: tls}"),
     "2:22: transport tls needs tls-name beside an address\n"},
    {"server: name without tls", SERVER("{address: 192.0.2.1, tls-name: a.example}"),
     "2:22: tls-name needs transport tls\n"},
    {"server: odd name", SERVER("{address: 192.0.2.1, transport: tls, tls-name: 192.0.2.1}"),
     "2:69: tls-name needs a host name, not '192.0.2.1'\n"
     "2:22: transport tls needs tls-name beside an address\n"},
    {"bootstrap: name", ASKING("bootstrap: [a.example]"),
     "2:57: address needs an IPv4 or IPv6 address, not 'a.example'\n"},
    {"balance: odd", ASKING("balance: random"),
     "2:54: balance needs one of first, least-outstanding, client-hash, not 'random'\n"},
    {"duration: no unit", ASKING("timeout: 8"),
     "2:54: timeout needs a duration from 10ms to 5m, not '8'\n"},
    {"duration: odd unit", ASKING("timeout: 8sec"),
     "2:54: timeout needs a duration from 10ms to 5m, not '8sec'\n"},
    {"duration: fraction", ASKING("timeout: 0.5s"),
     "2:54: timeout needs a duration from 10ms to 5m, not '0.5s'\n"},
    {"duration: overflows", ASKING("timeout: 213503982335d"),
     "2:54: timeout needs a duration from 10ms to 5m, not '213503982335d'\n"},
    {"duration: too short", ASKING("retry-after: 1ms"),
     "2:58: retry-after needs a duration from 10ms to 1m, not '1ms'\n"},
    {"health check: yes", ASKING("health-check: yes"),
     "2:59: health-check needs no or a mapping, not 'yes'\n"},
    {"health check: odd type", ASKING("health-check: {type: FOO}"),
     "2:66: type needs the name of a record type, not 'FOO'\n"},
    {"health check: meta type", ASKING("health-check: {type: AXFR}"),
     "2:66: type needs the name of a record type, not 'AXFR'\n"},
    {"health check: odd name", ASKING("health-check: {name: a..b}"),
     "2:66: name needs a domain name, not 'a..b'\n"},
    {"health check: range", ASKING("health-check: {down-after: 0, interval: 2h}"),
     "2:85: interval needs a duration from 100ms to 1h, not '2h'\n"
     "2:72: down-after needs a number from 1 to 100, not '0'\n"},
    {"send-client: odd", ASKING("send-client: xpf"),
     "2:58: send-client needs one of no, ecs, proxy-protocol, not 'xpf'\n"},
    {"ecs-ipv4: nothing of it", ASKING("ecs-ipv4: 0"),
     "2:55: ecs-ipv4 needs a number from 1 to 32, not '0'\n"},
    {"ecs-ipv6: too long", ASKING("ecs-ipv6: 129"),
     "2:55: ecs-ipv6 needs a number from 1 to 128, not '129'\n"},

    {"geo: no database", LISTEN UPSTREAM "geo: {max-age: 1d}\norders: o\n",
     "3:6: geo needs the key database\n"},
    {"geo: odd field", GEO("country-field: iso_code"),
     "3:35: country-field needs one of country, registered_country, represented_country, not "
     "'iso_code'\n"},
    {"geo: milliseconds", GEO("max-age: 5000ms"),
     "3:29: max-age needs a duration in whole seconds from 1h to 3650d, not '5000ms'\n"},
    {"block: address", WITH("block: {action: address}\n"),
     "5:17: action 'address' belongs in an order, with its addresses\n"},
    {"block: cname", WITH("block: {action: cname}\n"),
     "5:17: action 'cname' belongs in an order, with its target\n"},
    {"block: shadow", WITH("block: {action: shadow}\n"),
     "5:17: action 'shadow' belongs in an order: as a default it would switch off every other "
     "one\n"},
    {"block: odd action", WITH("block: {action: block}\n"),
     "5:17: action needs one of refused, nxdomain, nodata, drop, not 'block'\n"},
    {"block: long TTL", WITH("block: {ttl: 8d}\n"),
     "5:14: ttl needs a duration in whole seconds from 0s to 7d, not '8d'\n"},
    {"block: contact without scheme", WITH("block: {contact: abuse@example.org}\n"),
     "5:18: contact needs a URI that begins with mailto: (and an address), tel: (and a number), "
     "sips: or https://, not "
     "'abuse@example.org'\n"},
    {"block: contact of nobody", WITH("block: {contact: ['mailto:', 'https://', 'tel:x']}\n"),
     "5:19: contact needs a URI that begins with mailto: (and an address), tel: (and a number), "
     "sips: or https://, not 'mailto:'\n"
     "5:30: contact needs a URI that begins with mailto: (and an address), tel: (and a number), "
     "sips: or https://, not 'https://'\n"
     "5:42: contact needs a URI that begins with mailto: (and an address), tel: (and a number), "
     "sips: or https://, not 'tel:x'\n"},
    {"block: contact with a blank", WITH("block: {contact: 'mailto:a b@c.example'}\n"),
     "5:18: contact needs a URI that begins with mailto: (and an address), tel: (and a number), "
     "sips: or https://, not 'mailto:a "
     "b@c.example'\n"},
    {"block: contact with what no URI holds",
     WITH("block: {contact: ['mailto:a\"@b.example', 'https://ü.example', 'sips:a%4', "
          "'sips:a%4g', 'tel:1\\']}\n"),
     "5:19: contact needs a URI that begins with mailto: (and an address), tel: (and a number), "
     "sips: or https://, not "
     "'mailto:a\"@b.example'\n"
     "5:42: contact needs a URI that begins with mailto: (and an address), tel: (and a number), "
     "sips: or https://, not "
     "'https://ü.example'\n"
     "5:63: contact needs a URI that begins with mailto: (and an address), tel: (and a number), "
     "sips: or https://, not "
     "'sips:a%4'\n"
     "5:75: contact needs a URI that begins with mailto: (and an address), tel: (and a number), "
     "sips: or https://, not "
     "'sips:a%4g'\n"
     "5:88: contact needs a URI that begins with mailto: (and an address), tel: (and a number), "
     "sips: or https://, not "
     "'tel:1\\'\n"},
    {"block: two lines", WITH("block: {organization: \"a\\nb\"}\n"),
     "5:23: organization needs one line of at most 200 bytes, not 'a?b'\n"},
    {"block: protected networks a list", WITH("block: {protected-networks: [192.0.2.0/24]}\n"),
     "5:29: protected-networks needs a single value, not a list\n"},
    {"resolver-arpa: odd", WITH("resolver-arpa: nxdomain\n"),
     "5:16: resolver-arpa needs one of forward, nodata, not 'nxdomain'\n"},
    {"trust", WITH("trust: {ecs: [192.0.2.1], proxy-protocol: all}\n"),
     "5:43: proxy-protocol needs a list, not 'all'\n"},
    {"trust: bits behind the prefix", WITH("trust: {ecs: [192.0.2.1/24]}\n"),
     "5:15: ecs needs networks: \"192.0.2.1/24\" has bits set behind its prefix length; the "
     "network is 192.0.2.0/24\n"},
    {"limits: size", WITH("limits: {stream-output: 1 GiB}\n"),
     "5:25: stream-output needs a size from 64 KiB to 64 MiB, not '1 GiB'\n"},
    {"limits: small size", WITH("limits: {stream-output: 63 KiB}\n"),
     "5:25: stream-output needs a size from 64 KiB to 64 MiB, not '63 KiB'\n"},
    {"limits: large buffer", WITH("limits: {receive-buffer: 2 GiB}\n"),
     "5:26: receive-buffer needs a size from 64 KiB to 1024 MiB, not '2 GiB'\n"},
    {"limits: none", WITH("limits: {in-flight: 0}\n"),
     "5:21: in-flight needs a number from 1 to 1048576, not '0'\n"},
    {"rate-limit: none", WITH("rate-limit: {answers: 0}\n"),
     "5:23: answers needs a number from 1 to 1000000, not '0'\n"},
    {"rate-limit: off", WITH("rate-limit: {queries: no}\n"),
     "5:23: queries needs a number from 1 to 1000000, not 'no'\n"},
    {"rate-limit: slip", WITH("rate-limit: {answers: 20, slip: 101}\n"),
     "5:33: slip needs a number from 0 to 100, not '101'\n"},
    {"rate-limit: exempt", WITH("rate-limit: {answers: 20, exempt: 192.0.2.1}\n"),
     "5:35: exempt needs a list, not '192.0.2.1'\n"},
    {"control: too long for a socket",
     WITH("control: /run/"
          "0123456789012345678901234567890123456789012345678901234567890123456789"
          "0123456789012345678901234567890123456789\n"),
     "5:10: control needs a path of at most 103 bytes once it is absolute, not "
     "'/run/012345678901234567890123456789012345678901234567890123456789012345678…'\n"},
    {"log: odd level", WITH("log: {level: verbose}\n"),
     "5:14: level needs one of error, warning, info, debug, not 'verbose'\n"},
    {"log: odd format", WITH("log: {format: xml}\n"),
     "5:15: format needs one of text, json, not 'xml'\n"},
    {"dnstap: to nowhere", WITH("dnstap: {queries: all}\n"),
     "5:9: dnstap needs one of the keys socket and file\n"},
    {"dnstap: to both", WITH("dnstap: {socket: a, file: b}\n"),
     "5:9: dnstap needs one of the keys socket and file\n"},
    {"dnstap: no mapping", WITH("dnstap: yes\n"), "5:9: dnstap needs a mapping, not 'yes'\n"},
    {"dnstap: odd queries", WITH("dnstap: {file: a, queries: some}\n"),
     "5:28: queries needs one of blocked, all, not 'some'\n"},
    {"all at once",
     "listen: [{address: a}]\nworkers: x\nupstream: {servers: []}\ngeo: {}\nxyz: 1\n",
     "5:1: forwarder.conf has no key 'xyz'; expected " TOP_KEYS "\n"
     "1:20: address needs an IPv4 or IPv6 address, not 'a'\n"
     "2:10: workers needs auto or a number from 1 to 1024, not 'x'\n"
     "3:21: servers needs 1 to 64 items, not 0\n"
     "4:6: geo needs the key database\n"
     "1:1: forwarder.conf needs the key orders\n"},
};

START_TEST(refuses)
{
    char errors[TEXT_MAX];
    struct config *config = parse(refused[_i].yaml, errors);
    ck_assert_msg(config == NULL, "%s", refused[_i].label);
    ck_assert_msg(strcmp(errors, refused[_i].errors) == 0, "%s: %s", refused[_i].label, errors);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config_errors");
    TCase *tcase = tcase_create("config_errors");
    tcase_add_loop_test(tcase, refuses, 0, sizeof refused / sizeof refused[0]);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
