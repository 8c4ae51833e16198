# make demo   builds the suite and shows it at work; needs cargo and a C linker, nothing else
# make demo-models  two nodes on one wire, in the three ways that clusters are wired
# make test   builds and tests everything; as root it installs the Debian packages it misses
# make dist   fully static executables of every plugin and cnitool in bin/ (BIN=DIR: there); ONE=1: all plugins are one
#             file, with their names as hard links
# make bench  plugins side by side, with what the kernel needs: tests/bench/README.md. OUT=DIR, REFERENCE=DIR:DIR, PLUGINS=DIR, ARGS
# make check  formatting, lints, licences
# make soak   20 000 pods come and go with everything that goes wrong (CNI_SOAK=N: as many); root, a quiet machine
# make keys   writes the READMEs' tables of keys
# make install  what make dist built, into DESTDIR, PREFIX, CNIDIR, UNITDIR: packaging/install
# make release  archives, checksums and a bill of materials per architecture in dist/: packaging/release
# make release-test  the same twice from two places, compared and tried: packaging/release-test

CARGO ?= cargo
BIN ?= bin
# Asked only by the recipe that needs it.
TARGET_DIR = $(shell $(CARGO) metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')

.PHONY: build test bench dist demo demo-models check keys clean install release release-test soak

build:
	$(CARGO) build --workspace --bins

test:
	tests/run

OUT ?= target/bench

bench:
	REFERENCE='$(REFERENCE)' PLUGINS='$(PLUGINS)' tests/bench/run '$(OUT)' $(ARGS)

demo:
	$(CARGO) build --release --workspace --bins
	CNI_PATH="$(TARGET_DIR)/release" "$(TARGET_DIR)/release/cnitool" demo

demo-models:
	$(CARGO) build --release --workspace --bins
	for model in overlay routed underlay; do CNI_PATH="$(TARGET_DIR)/release" "$(TARGET_DIR)/release/cnitool" demo --model $$model || exit; done

check:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	@if command -v cargo-deny >/dev/null; then $(CARGO) deny --offline check licenses bans sources; \
	else echo "cargo-deny is not installed: licences and duplicate versions were not checked"; fi

soak: dist
	CNI_SOAK=$${CNI_SOAK:-20000} CNI_TEST_BIN_DIR='$(abspath $(BIN))' $(CARGO) test -q -p cni-tests --test soak -- --nocapture

keys:
	CNI_WRITE_KEYS=1 $(CARGO) test -q -p cni-plugins --test keys -- the_readmes_tables

# No interpreter and no shared library: the executables run on any Linux of this architecture. With musl where its
# target is installed or can be had soon; else statically with the C library of the host.
dist:
	@CARGO='$(CARGO)' packaging/build native $(if $(ONE),one,separate)='$(BIN)'
	@ls -l '$(BIN)'

install:
	@BIN='$(BIN)' DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' CNIDIR='$(CNIDIR)' UNITDIR='$(UNITDIR)' packaging/install

release:
	packaging/release

release-test:
	packaging/release-test

clean:
	$(CARGO) clean
	rm -rf bin dist
