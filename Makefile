# What a newcomer types: `make demo`, then `make test`. Everything else is here for packagers.

PREFIX ?= /usr/local
# Of HDF5 we need the library alone, whose package has another name in every release; libhdf5-dev brings it along.
PACKAGES := libopenblas-dev libhdf5-dev libpng-dev libturbojpeg0-dev libavformat-dev libavcodec-dev libswscale-dev libavutil-dev \
	zlib1g-dev pkg-config
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
BUILD := swift build -c release
BIN := .build/release
SAMPLES := .build/samples

.PHONY: demo test build install dependencies clean

demo: build $(SAMPLES)
	$(BIN)/zoo list
	$(BIN)/zoo run captioner $(SAMPLES)

build: dependencies
	$(BUILD)

# Swift Testing runs in release: the numerical tests are many times slower without optimisation.
test: dependencies
	swift test -c release

# Installs only what is missing, so that a prepared machine needs neither network nor root.
dependencies:
	@missing=""; for p in $(PACKAGES); do \
		dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'install ok installed' || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
		echo "installing$$missing"; \
		$(SUDO) apt-get update -q && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing; \
	fi

# Real photos out of a Debian package, which is unpacked but not installed; without network the picture that we made.
$(SAMPLES):
	@mkdir -p $@.partial/package
	@cd $@.partial/package && apt-get download -qq python3-skimage >/dev/null 2>&1 && dpkg -x *.deb . || true
	@for photo in astronaut chelsea coffee; do \
		find $@.partial/package -name "$$photo.png" -exec cp {} $@.partial/ \; ; done
	@rm -rf $@.partial/package
	@ls $@.partial/*.png >/dev/null 2>&1 || cp ModelCards/samples/*.png $@.partial/
	@mv $@.partial $@

install: build
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/zoo $(DESTDIR)$(PREFIX)/lib/zoo
	install $(BIN)/zoo $(DESTDIR)$(PREFIX)/bin/zoo
	cp -R ModelCards Weights $(DESTDIR)$(PREFIX)/share/zoo/
	cp -R $(BIN)/Modules $(DESTDIR)$(PREFIX)/lib/zoo/

clean:
	rm -rf .build .build-*
