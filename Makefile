# make demo   builds the suite and shows it at work; needs cargo and a C linker, nothing else
# make test   builds and tests everything; as root it installs the Debian packages it misses
# make dist   fully static executables of every plugin and cnitool in bin/ (BIN=DIR: there); ONE=1: all plugins are one
#             file, with their names as hard links
# make check  formatting, lints, licences
# make install  what make dist built, into DESTDIR, PREFIX, CNIDIR, UNITDIR: packaging/install
# make release  archives, checksums and a bill of materials per architecture in dist/: packaging/release
# make release-test  the same twice from two places, compared and tried: packaging/release-test

CARGO ?= cargo
PLUGINS := $(patsubst %/Cargo.toml,%,$(wildcard plugins/*/Cargo.toml ipam/*/Cargo.toml))
NAMES := $(notdir $(PLUGINS))
BIN ?= bin
# Asked only by the recipes that need it.
TARGET_DIR = $(shell $(CARGO) metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
ARCH = $(firstword $(subst -, ,$(HOST)))

.PHONY: build test dist demo check clean install release release-test

build:
	$(CARGO) build --workspace --bins

test:
	tests/run

demo:
	$(CARGO) build --release --workspace --bins
	CNI_PATH="$(TARGET_DIR)/release" "$(TARGET_DIR)/release/cnitool" demo

check:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	@if command -v cargo-deny >/dev/null; then $(CARGO) deny --offline check licenses bans sources; \
	else echo "cargo-deny is not installed: licences and duplicate versions were not checked"; fi

# No interpreter and no shared library: the executables run on any Linux of this architecture. With musl where its
# target is installed or can be had soon; else statically with the C library of the host.
dist:
	@set -eu; \
	if rustup target list --installed 2>/dev/null | grep -qx $(ARCH)-unknown-linux-musl \
	  || timeout 120 rustup target add $(ARCH)-unknown-linux-musl >/dev/null 2>&1; \
	then target=$(ARCH)-unknown-linux-musl; \
	else target=$(HOST); echo "dist: no musl target to be had: static with the C library of $(HOST)"; fi; \
	RUSTFLAGS='-C target-feature=+crt-static -C relocation-model=static --cfg sha2_backend="soft-compact"'  \
	  $(CARGO) build --profile dist --target $$target $(if $(ONE),-p cni-plugins -p cnitool,--workspace --exclude cni-plugins --bins); \
	mkdir -p "$(BIN)"; built="$(TARGET_DIR)/$$target/dist"; \
	install -m 755 "$$built/cnitool" "$(BIN)/"; \
	$(if $(ONE),first=; for name in $(NAMES); do \
	  if [ -z "$$first" ]; then first=$$name; install -m 755 "$$built/cni-plugins" "$(BIN)/$$name"; \
	  else ln -f "$(BIN)/$$first" "$(BIN)/$$name"; fi; \
	done,for name in $(NAMES); do install -m 755 "$$built/$$name" "$(BIN)/"; done); \
	ls -l "$(BIN)"

install:
	@BIN='$(BIN)' DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' CNIDIR='$(CNIDIR)' UNITDIR='$(UNITDIR)' packaging/install

release:
	packaging/release

release-test:
	packaging/release-test

clean:
	$(CARGO) clean
	rm -rf bin dist
