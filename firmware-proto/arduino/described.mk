# From a graph to a self-describing Arduino, with the compiler and the core that Debian has:
#
#   make -f described.mk GRAPH=blink.fbp LABEL="Window left"          builds build/blink-uno/firmware.hex
#   make -f described.mk GRAPH=blink.fbp PORT=/dev/ttyACM0 upload     and writes it to a board
#
# Call it where `npm install --ignore-scripts microflo@0.4.4 microflo-core@0.3.38` was run.

BOARD ?= uno
LABEL ?=
LIBRARY ?= $(MODULES)/microflo-core/components/arduino-standard.json
MODULES ?= $(CURDIR)/node_modules
BRIDGE ?= microflo-bridge
OUT ?= build/$(basename $(notdir $(GRAPH)))-$(BOARD)

# An Uno has 2 kB of RAM: MicroFlo's own limits, 50 each, do not fit.
ifeq ($(BOARD),uno)
MCU = atmega328p
VARIANT = standard
DEFINE = ARDUINO_AVR_UNO
NODES ?= 20
MESSAGES ?= 30
PROGRAMMER = -c arduino -b 115200
else ifeq ($(BOARD),mega)
MCU = atmega2560
VARIANT = mega
DEFINE = ARDUINO_AVR_MEGA2560
NODES ?= 50
MESSAGES ?= 50
PROGRAMMER = -c wiring -D -b 115200
else
$(error BOARD is uno or mega)
endif

HERE := $(dir $(realpath $(lastword $(MAKEFILE_LIST))))
CORE = /usr/share/arduino/hardware/arduino/avr
FLAGS = -Os -w -ffunction-sections -fdata-sections -flto -fno-fat-lto-objects -mmcu=$(MCU) -DF_CPU=16000000L -DARDUINO=10819 \
	-D$(DEFINE) -DARDUINO_ARCH_AVR -I $(CORE)/cores/arduino -I $(CORE)/variants/$(VARIANT)
# Debian's gcc-avr is 5.4, whose <float.h> has no DECIMAL_DIG in C++.
CXXFLAGS = $(FLAGS) -DDECIMAL_DIG=__DECIMAL_DIG__ -std=gnu++11 -fpermissive -fno-exceptions -fno-threadsafe-statics
SKETCH = -include Arduino.h -DMICROFLO_NODE_LIMIT=$(NODES) -DMICROFLO_MESSAGE_LIMIT=$(MESSAGES) \
	-I $(OUT) -I $(MODULES)/microflo/microflo -I $(MODULES)/microflo-core/components
OBJECTS = $(patsubst $(CORE)/cores/arduino/%,$(OUT)/core/%.o,$(wildcard $(addprefix $(CORE)/cores/arduino/*,.c .cpp .S)))

# By way of the environment, where a label may have any character.
export LABEL
export SETTINGS = $(BOARD) $(NODES) $(MESSAGES) $(LIBRARY) $(LABEL)

.PHONY: all upload always
all: $(OUT)/firmware.hex

# Changes when the settings do.
$(OUT)/settings: always
	$(if $(GRAPH),,$(error say which graph: GRAPH=blink.fbp))
	@mkdir -p $(OUT)/core
	@echo "$$SETTINGS" | cmp -s - $@ || echo "$$SETTINGS" > $@

$(OUT)/main.cpp: $(GRAPH) $(LIBRARY) $(OUT)/settings
	node -r $(HERE)no-serialport.js $(MODULES)/microflo/microflo.js generate $(GRAPH) $@ --target arduino:avr \
		--mainfile $(HERE)described_arduino_main.hpp --library $(LIBRARY)

$(OUT)/descriptor.h: $(OUT)/main.cpp
	$(BRIDGE) firmware descriptor $(OUT) --label "$$LABEL" --node-limit $(NODES) --message-limit $(MESSAGES) > $@.part
	mv $@.part $@

$(OUT)/sketch.o: $(OUT)/main.cpp $(OUT)/descriptor.h $(HERE)describe.hpp $(HERE)described_arduino_main.hpp
	avr-g++ -c $(CXXFLAGS) $(SKETCH) $< -o $@

$(OUT)/core/%.c.o: $(CORE)/cores/arduino/%.c | $(OUT)/main.cpp
	avr-gcc -c $(FLAGS) -std=gnu11 $< -o $@
$(OUT)/core/%.S.o: $(CORE)/cores/arduino/%.S | $(OUT)/main.cpp
	avr-gcc -c $(FLAGS) -x assembler-with-cpp $< -o $@
$(OUT)/core/%.cpp.o: $(CORE)/cores/arduino/%.cpp | $(OUT)/main.cpp
	avr-g++ -c $(CXXFLAGS) $< -o $@

$(OUT)/firmware.elf: $(OUT)/sketch.o $(OBJECTS)
	rm -f $(OUT)/core.a
	avr-gcc-ar rcs $(OUT)/core.a $(OBJECTS)
	avr-gcc -w -Os -flto -fuse-linker-plugin -Wl,--gc-sections -mmcu=$(MCU) $(OUT)/sketch.o $(OUT)/core.a -lm -o $@
	avr-size $@

$(OUT)/firmware.hex: $(OUT)/firmware.elf
	avr-objcopy -O ihex -R .eeprom $< $@

upload: $(OUT)/firmware.hex
	$(if $(PORT),,$(error say where the board is: PORT=/dev/ttyACM0))
	avrdude -q -p $(MCU) $(PROGRAMMER) -P $(PORT) -U flash:w:$<:i
