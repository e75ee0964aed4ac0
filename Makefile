# SPDX-License-Identifier: GPL-3.0-or-later
#
# make            build/bailiwickd and build/bailiwick
# make unit       every unit test (test/check_*.c), one binary each; under TSan those that can start
#                 threads (scripts/run-unit)
# make lint       format, clang-tidy, header independence, direction of includes, function size
# make fuzz       fuzz targets (clang), built into build/fuzz
# make bench      what a query costs, beside a plain relay and dnsdist (test/bench/run)
# make install    into DESTDIR and PREFIX (/usr/local)
# make deb        the Debian package, into build/deb
# make bench-lists  what a large list costs, beside dnsdist, BIND and Unbound (test/bench/lists)
# make bench-reload what clients notice of a reload of a large list (test/bench/reload)
# make soak       everything that can go wrong, under load: SOAK_SECONDS (300) of it (test/soak/run)
# SANITIZE=asan|tsan   the same programs and tests under ASan+UBSan or TSan, in build/asan, build/tsan
# WERROR=1        warnings are errors (CI)

SANITIZE ?=
BUILD    ?= build$(if $(SANITIZE),/$(SANITIZE))
ifeq ($(origin CC),default)
CC       := gcc
endif
CLANG    ?= clang
VERSION  := 0.1.0

# When this was made, in seconds since the epoch: before it no clock is right (wall_clock.h). The same
# for everybody who builds this, but on a machine whose own clock is before it.
MADE     := $(shell made=$${SOURCE_DATE_EPOCH:-$$(date -d "$$(sed -n 's/^ -- .*>  //p;T;q' \
                debian/changelog)" +%s)}; now=$$(date +%s); echo $$((made < now ? made : now)))

# Commands are shown by their target; V=1 shows them whole.
V        ?=
say       = $(if $(V),,@echo "  $(1)" $(subst $(BUILD)/,,$@);)

PKGS     := libevent_core libevent_extra libmaxminddb libcares yaml-0.1 jansson libidn2 libpsl libknot libzscanner libcrypto zlib libzstd glib-2.0 libsystemd libevent_openssl libssl libnghttp2 libcap-ng libseccomp libngtcp2 libngtcp2_crypto_gnutls gnutls libfstrm sqlite3
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS))
LIBS     := $(shell pkg-config --libs $(PKGS)) -pthread
# What only the operator's tool needs.
CLI_LIBS := $(shell pkg-config --libs libpcap)
CHECK_LIBS = $(shell pkg-config --libs check)

OPT      := -O3
ifeq ($(SANITIZE),asan)
OPT      := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
else ifeq ($(SANITIZE),tsan)
OPT      := -O1 -fno-omit-frame-pointer -fsanitize=thread
endif

# Each unit test runs once for each time that it is built: more optimizing takes longer than it saves.
TEST_OPT := $(if $(SANITIZE),-O0,-O1)
# A linker that is quick with some hundred binaries, where one is installed.
TEST_LD  := $(firstword $(foreach ld,gold lld,$(if $(shell command -v ld.$(ld)),-fuse-ld=$(ld))))

WARN     := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wswitch-enum -Wvla -Wmissing-prototypes \
            -Wstrict-prototypes $(if $(WERROR),-Werror)
CPPFLAGS += -I. -D_GNU_SOURCE -DCARES_NO_DEPRECATED -DBAILIWICK_VERSION='"$(VERSION)"' -DBAILIWICK_MADE=$(MADE) $(PKG_CFLAGS)
CFLAGS   += -std=c17 -g $(OPT) $(WARN)
LDFLAGS  += -pthread $(filter -fsanitize%,$(OPT))

# The rooms, lowest first; each is one archive. A room links with itself and the rooms below it.
GEO      := $(wildcard geo/*.c)
POLICY   := $(wildcard policy/*.c)
WIRE     := $(wildcard forwarder/wire/*.c)
PARTS    := forwarder $(addprefix forwarder/,audit config generation explain http quic stream tap upstream server)
DAEMON   := $(filter-out forwarder/main.c,$(wildcard $(addsuffix /*.c,$(PARTS))))
CLI      := $(filter-out forwarder/cli/main.c,$(wildcard forwarder/cli/*.c))

obj       = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
archives  = $(patsubst %,$(BUILD)/lib%.a,$(1))

TESTS    := $(patsubst test/check_%.c,%,$(wildcard test/check_*.c))
FUZZERS  := $(patsubst test/fuzz/fuzz_%.c,%,$(wildcard test/fuzz/fuzz_*.c))

# The archives that the test of module $(1) may link: its own room and those below it.
room_of   = $(firstword $(if $(wildcard geo/$(1).c),geo) $(if $(wildcard policy/$(1).c),policy) \
            $(if $(wildcard forwarder/wire/$(1).c),wire) $(if $(wildcard $(addsuffix /$(1).c,$(PARTS))),forwarder) \
            $(if $(wildcard forwarder/cli/$(1).c),cli) forwarder)
rooms_geo       := geo
rooms_policy    := policy geo
rooms_wire      := wire
rooms_forwarder := forwarder policy geo wire
rooms_cli       := cli forwarder policy geo wire

.PHONY: all unit unit-build fuzz bench bench-build bench-lists bench-reload soak-build soak lint flags install deb clean
.DELETE_ON_ERROR:
all: $(BUILD)/bailiwickd $(BUILD)/bailiwick

$(BUILD)/libgeo.a:       $(call obj,$(GEO))
$(BUILD)/libpolicy.a:    $(call obj,$(POLICY))
$(BUILD)/libwire.a:      $(call obj,$(WIRE))
$(BUILD)/libforwarder.a: $(call obj,$(DAEMON))
$(BUILD)/libcli.a:       $(call obj,$(CLI))
$(BUILD)/lib%.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR  )ar rcs $@ $^

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC  )$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Compiled in, which no compiler tells as a dependency.
$(foreach obj,$(BUILD)/obj $(BUILD)/fuzz/obj,$(obj)/policy/widely_used.o): policy/widely-used.txt

$(BUILD)/bailiwickd: $(BUILD)/obj/forwarder/main.o $(call archives,$(rooms_forwarder))
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/bailiwick: $(BUILD)/obj/forwarder/cli/main.o $(call archives,$(rooms_cli))
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) $(CLI_LIBS)

# Unit tests: one binary a module.
$(BUILD)/obj/test/check_%.o: CFLAGS += $(TEST_OPT)
define unit_rule
$(BUILD)/test/check_$(1): $(BUILD)/obj/test/check_$(1).o \
    $(call archives,$(rooms_$(call room_of,$(1))))
	@mkdir -p $$(@D)
	$$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) $(TEST_LD) -o $$@ $$^ $$(CHECK_LIBS) $(LIBS) \
	    $(if $(filter cli,$(call room_of,$(1))),$(CLI_LIBS))
endef
$(foreach t,$(TESTS),$(eval $(call unit_rule,$(t))))

# A client that the end-to-end tests need, and no Debian package has.
E2E_PEERS := $(BUILD)/test/quic_client
$(BUILD)/test/quic_client: $(BUILD)/obj/test/e2e/quic_client.o
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

unit-build: $(E2E_PEERS) $(patsubst %,$(BUILD)/test/check_%,$(TESTS))
unit: unit-build
	scripts/run-unit $(if $(filter tsan,$(SANITIZE)),--threads) $(BUILD)/test

# Fuzz targets: clang's libFuzzer with ASan and UBSan; every source is built again with coverage.
FUZZ_FLAGS := -g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
$(BUILD)/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,FUZZ)$(CLANG) $(CPPFLAGS) -std=c17 $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

FUZZ_LIB := $(patsubst %.c,$(BUILD)/fuzz/obj/%.o,$(GEO) $(POLICY) $(WIRE) $(DAEMON) $(CLI))
$(BUILD)/fuzz/libbailiwick.a: $(FUZZ_LIB)
	@rm -f $@
	$(call say,AR  )ar rcs $@ $^
$(BUILD)/fuzz/fuzz_%: $(BUILD)/fuzz/obj/test/fuzz/fuzz_%.o $(BUILD)/fuzz/libbailiwick.a
	$(call say,LINK)$(CLANG) $(FUZZ_FLAGS) $(TEST_LD) -fsanitize=fuzzer -o $@ $^ $(LIBS) $(CLI_LIBS)
fuzz: $(patsubst %,$(BUILD)/fuzz/fuzz_%,$(FUZZERS))

# Benchmarks, for people: test/bench/run, lists and reload need the first ones, the others measure
# parts of the product.
BENCH_PEERS := $(addprefix $(BUILD)/bench/,floor responder generator)
BENCH_PARTS := $(addprefix $(BUILD)/bench/,cost list_cost)
$(BENCH_PEERS): $(BUILD)/bench/%: $(BUILD)/obj/test/bench/%.o
$(BENCH_PARTS): $(BUILD)/bench/%: $(BUILD)/obj/test/bench/%.o $(call archives,$(rooms_forwarder))
$(BENCH_PEERS) $(BENCH_PARTS):
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)
bench-build: all $(BENCH_PEERS) $(BENCH_PARTS)
bench: bench-build
	test/bench/run
bench-lists: bench-build
	$(BUILD)/bench/list_cost
	test/bench/lists
bench-reload: bench-build
	test/bench/reload

# The soak: who asks, who answers, and a clock that can be set.
SOAK_PEERS := $(addprefix $(BUILD)/soak/,asker fake_resolver stepped_clock.so)
soak_objects = $(patsubst %,$(BUILD)/obj/test/soak/%.o,$(1))
$(BUILD)/soak/asker: $(call soak_objects,asker row phase right_answer way_udp way_stream way_https way_quic)
$(BUILD)/soak/fake_resolver: $(call soak_objects,fake_resolver right_answer)
$(BUILD)/soak/asker $(BUILD)/soak/fake_resolver:
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)
# Preloaded into programs of every kind, so never with a sanitizer.
$(BUILD)/soak/stepped_clock.so: test/soak/stepped_clock.c
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CPPFLAGS) -std=c17 -g -O2 $(WARN) -fPIC -shared -o $@ $<
soak-build: all $(E2E_PEERS) $(SOAK_PEERS)
soak: soak-build
	test/soak/run

lint:
	scripts/lint
# What the compilers of lint need to know, quoted for a shell.
flags:
	$(info $(CPPFLAGS))@:

# For packages: what an installed Bailiwick consists of.
PREFIX  ?= /usr/local
DESTDIR ?=
MAN     := $(wildcard forwarder/man/*.[158])
into     = install -D -m 0644 -t $(DESTDIR)$(PREFIX)/$(1)
install: all
	install -D -m 0755 -t $(DESTDIR)$(PREFIX)/sbin $(BUILD)/bailiwickd
	install -D -m 0755 -t $(DESTDIR)$(PREFIX)/bin $(BUILD)/bailiwick
	install -D -m 0755 -t $(DESTDIR)$(PREFIX)/lib/bailiwick \
	    scripts/country-database scripts/renew-country-database
	for page in $(MAN); do \
	    install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man$${page##*.} $$page || exit; \
	done
	$(call into,share/doc/bailiwick/examples) forwarder.conf.example
	$(call into,share/bailiwick/monitoring) forwarder/monitoring/alerts.yml \
	    forwarder/monitoring/board.json
	install -D -m 0644 forwarder/completion/bailiwick.bash \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions/bailiwick
	install -D -m 0644 forwarder/completion/_bailiwick \
	    $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_bailiwick

# The Debian package, checked by lintian, in build/deb.
deb:
	scripts/make-deb

clean:
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
