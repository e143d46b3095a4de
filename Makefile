# SPDX-License-Identifier: GPL-2.0-only
# Builds, installs and tests ckpt; `make help` says how.

MAKEFLAGS += --no-print-directory
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

TOP := $(CURDIR)
BUILD := $(TOP)/build
CACHE = $(or $(CKPT_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ckpt)

# The kernel that `make` and `make install` build for.
KVER ?= $(shell uname -r)
PREFIX ?= /usr/local
DESTDIR ?=

KDIR = $(or $(wildcard /lib/modules/$(KVER)/build),$(shell selftests/vm/kernel $(KVER) build))
MODULE = $(BUILD)/module-$(KVER)
UPDATES = $(DESTDIR)/lib/modules/$(KVER)/updates

USERSPACE = $(MAKE) -C userspace BUILD=$(BUILD)/userspace PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)

PROGRAMS := $(patsubst selftests/programs/%.c,$(BUILD)/programs/%,$(wildcard selftests/programs/*.c))

.PHONY: all modules module-6.1 module-6.12 module-debug debug-kernel userspace programs
.PHONY: install uninstall check ready demo shell kunit fuzz coverage mistakes gates format packages clean distclean help

ifneq ($(wildcard /lib/modules/$(KVER)/build),)
all: modules userspace
else
all: module-6.1 module-6.12 userspace
	@echo "No headers of the running kernel $(KVER): built for Debian's kernels instead."
endif

help:
	@echo 'make                        module for the running kernel, library and tool'
	@echo 'make modules KVER=VERSION   module for another kernel (also 6.1, 6.12 or debug)'
	@echo 'make userspace              library and tool'
	@echo 'make install, uninstall     module, library, tool and manual; KVER, PREFIX, DESTDIR'
	@echo 'make demo                   save and restore a program in a virtual machine'
	@echo 'make shell                  a shell in a virtual machine that has ckpt; KERNEL'
	@echo 'make check                  all tests; TESTS=PATTERN, KERNEL=6.1|6.12|debug|all'
	@echo 'make gates                  style and static checks'
	@echo 'make kunit                  unit tests of the module; KERNEL'
	@echo 'make coverage               lines of the module that the tests execute; TESTS'
	@echo 'make mistakes               plants mistakes and shows which test finds each'
	@echo 'make fuzz SECONDS=N         feeds broken images to the reader'
	@echo 'make debug-kernel           kernel with KASAN, lockdep and the like, for KERNEL=debug'
	@echo 'make format                 formats the sources'
	@echo 'make clean, distclean       removes what was built; and the cache'

# The kernel's build system puts its files beside the sources, so each kernel gets a copy of them;
# only what has changed is copied, and built again.
modules:
	+@if [ -z '$(KDIR)' ]; then \
		echo '$(KVER): no headers in /lib/modules/$(KVER)/build: install linux-headers-$(KVER)' >&2; \
		exit 1; \
	elif [ ! -e '/lib/modules/$(KVER)/build' ] && \
		[ "$$(selftests/vm/kernel $(KVER))" != '$(KVER)' ]; then \
		exec $(MAKE) modules KVER="$$(selftests/vm/kernel $(KVER))"; \
	fi; \
	mkdir -p $(MODULE); \
	exec 9> $(MODULE)/.lock; \
	flock 9; \
	tree="$$(realpath $(KDIR))"; \
	if ! echo "$$tree" | cmp -s - $(MODULE)/.tree; then \
		find $(MODULE) -name '*.o' -delete; \
		echo "$$tree" > $(MODULE)/.tree; \
	fi; \
	selftests/copy-module $(MODULE); \
	$(MAKE) -C $(KDIR) M=$(MODULE) modules

module-6.1 module-6.12 module-debug: module-%:
	+@$(MAKE) modules KVER="$$(selftests/vm/kernel $*)"

debug-kernel:
	selftests/debug-kernel/build

userspace:
	+@$(USERSPACE) all

# A program says in its first lines what it needs: `// link: ckpt m`, `// cflags: -mavx2`.
programs: userspace $(PROGRAMS)

$(BUILD)/programs/%: selftests/programs/%.c $(wildcard selftests/programs/*.h uapi/linux/*.h) | userspace
	@mkdir -p $(@D)
	@flags=$$(sed -n '1,20s|^.*// cflags: *||p' $<); \
	libs=$$(sed -n '1,20s|^.*// link: *||p' $<); \
	echo "CC $@"; \
	$(CC) -O2 -Wall -Wextra -Werror -pthread $$flags -I$(TOP)/uapi -I$(TOP)/userspace/lib \
		-o $@ $< -L$(BUILD)/userspace $$(printf ' -l%s' $$libs | sed 's/ -l$$//')

install: modules userspace
	install -D -m 644 $(MODULE)/ckpt.ko $(UPDATES)/ckpt.ko
	$(if $(DESTDIR),,depmod $(KVER))
	+@$(USERSPACE) install

uninstall:
	rm -f $(UPDATES)/ckpt.ko
	$(if $(DESTDIR),,[ ! -d /lib/modules/$(KVER) ] || depmod $(KVER))
	+@$(USERSPACE) uninstall

packages:
	@selftests/packages

check: packages
	@selftests/check $(if $(KERNEL),--kernel '$(KERNEL)') $(if $(TESTS),'$(TESTS)')

gates: packages
	@selftests/check --gates $(if $(TESTS),'$(TESTS)')

# Builds what a virtual machine needs, and shows how only when that fails.
ready: packages
	+@mkdir -p $(BUILD); $(MAKE) -s module-$(or $(KERNEL),6.12) userspace programs \
		>$(BUILD)/ready.log 2>&1 || { cat $(BUILD)/ready.log >&2; exit 1; }

demo: ready
	@selftests/demo/run $(or $(KERNEL),6.12)

shell: ready
	@selftests/vm/run --kernel $(or $(KERNEL),6.12) --tty -- bash -l

# Given KVER this only builds them, as the test "kunit" wants it.
kunit: packages
ifeq ($(origin KVER),command line)
	@selftests/kunit/run $(KVER)
else
	@selftests/check $(if $(KERNEL),--kernel '$(KERNEL)') kunit
endif

coverage: packages
	@selftests/coverage/run $(if $(TESTS),'$(TESTS)')

mistakes: packages
	@selftests/mistakes/run $(TESTS)

fuzz: packages
	@selftests/fuzz/run $(or $(SECONDS),60)

format: packages
	@selftests/gates/clang-format --fix

clean:
	rm -rf $(BUILD)

distclean: clean
	rm -rf $(CACHE)
