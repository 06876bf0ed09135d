//! Which components there are: names, numbers and ports, as `microflo generate` numbers them.

use firmware_proto::{Dialect, Packet};
use serde_json::{Map, Value, json};

use super::{Logic, boolean, flow, number, pins, time};

/// A component that nodes can be made of.
pub(crate) struct Kind {
    name: &'static str,
    description: &'static str,
    /// In ports: name and type; a port's id is its place.
    ins: &'static [(&'static str, &'static str)],
    /// Out ports likewise.
    outs: &'static [(&'static str, &'static str)],
    make: fn(Dialect) -> Box<dyn Logic>,
}

/// The order of MicroFlo's stock library for Linux boards with the 8-byte dialect: a component's id is its place, from 1.
const LIBRARY_FLO01: &str = "\
    AnalogRead RaspberryPi BooleanAnd BooleanOr BreakBeforeMake Constrain Count Delimit DigitalRead \
    DigitalWrite Forward Gate HysteresisLatch InvertBoolean LedMatrixMax MapLinear Max Min MonitorPin \
    NumberEquals PwmWrite ReadCapacitivePin Route SerialIn SerialOut Split Timer ToggleBoolean \
    ToggleAnimation BoolToInt core/Repeat core/Drop core/Output";

/// The same for the 10-byte dialect.
const LIBRARY_MICROFLO1: &str = "\
    AnalogRead BoolToInt BooleanAnd BooleanOr Constrain Count DigitalRead DigitalWrite Forward ForwardIf \
    Gate HoldPacket HysteresisLatch InvertBoolean MapLinear Max Min NumberEquals PseudoPwmWrite PwmWrite \
    Route RunningMedian Split Timer ToggleBoolean core/Repeat core/Drop core/Output";

macro_rules! kinds {
    ($($name:literal ($($in:ident: $in_type:literal),*) -> ($($out:ident: $out_type:literal),*) $make:expr; $description:literal)*) => {
        const KINDS: &[Kind] = &[$(Kind {
            name: $name,
            description: $description,
            ins: &[$((stringify!($in), $in_type)),*],
            outs: &[$((stringify!($out), $out_type)),*],
            make: |dialect| Box::new($make(dialect)),
        }),*];
    };
}

kinds! {
    "AnalogRead" (trigger: "bang", pin: "integer") -> (out: "integer")
        |_| pins::AnalogRead::default(); "Read analog value from pin, 0 to 1023"
    "BoolToInt" (r#in: "boolean") -> (out: "integer")
        |_| boolean::BoolToInt; "1 for true, 0 for false"
    "BooleanAnd" (a: "boolean", b: "boolean") -> (out: "boolean")
        |_| boolean::Pair::new(|a, b| a && b); "True if both are true"
    "BooleanOr" (a: "boolean", b: "boolean") -> (out: "boolean")
        |_| boolean::Pair::new(|a, b| a || b); "True if either is true"
    "BreakBeforeMake" (r#in: "boolean", monitor1: "boolean", monitor2: "boolean") -> (out1: "boolean", out2: "boolean")
        |_| boolean::BreakBeforeMake::default(); "Switch two outputs so that never both are on"
    "Constrain" (r#in: "integer", lower: "integer", upper: "integer") -> (out: "integer")
        |_| number::Constrain::default(); "Keep a number within lower and upper"
    "Count" (r#in: "bang", reset: "boolean") -> (out: "integer")
        number::Count::new; "Count packets"
    "Delimit" (r#in: "all") -> (out: "all")
        |_| flow::Delimit::default(); "Put a delimiter behind each packet or bracketed group"
    "DigitalRead" (trigger: "bang", pin: "integer", pullup: "boolean") -> (out: "boolean")
        pins::DigitalRead::new; "Read a pin when triggered"
    "DigitalWrite" (r#in: "boolean", pin: "integer") -> (out: "boolean")
        pins::DigitalWrite::new; "Write a boolean to a pin"
    "core/Drop" (r#in: "all") -> ()
        |_| flow::Swallow; "Swallow packets"
    "Forward" (r#in: "all") -> (out: "all")
        |_| flow::Forward; "Forward packets"
    "ForwardIf" (r#in: "boolean") -> (out: "boolean")
        |_| flow::ForwardIf; "Send true for what is true"
    "Gate" (r#in: "all", enable: "boolean") -> (out: "all")
        |_| flow::Gate::default(); "Pass packets on while enabled"
    "HoldPacket" (data: "all", r#in: "bang") -> (out: "all")
        |_| flow::HoldPacket::default(); "Keep the latest packet, send it when told to"
    "HysteresisLatch" (r#in: "number", lowthreshold: "number", highthreshold: "number") -> (out: "boolean")
        number::HysteresisLatch::new; "True above one threshold, false below another"
    "InvertBoolean" (r#in: "boolean") -> (out: "boolean")
        |_| boolean::InvertBoolean; "Logical not"
    "MapLinear" (r#in: "integer", inmin: "integer", inmax: "integer", outmin: "integer", outmax: "integer") -> (out: "integer")
        |_| number::MapLinear::default(); "Map a number from one range to another"
    "Max" (r#in: "integer", threshold: "integer") -> (out: "integer")
        |_| number::Pair::new(|a, b| Packet::Integer(a.max(b))); "The greater of two numbers"
    "Min" (r#in: "integer", threshold: "integer") -> (out: "integer")
        |_| number::Pair::new(|a, b| Packet::Integer(a.min(b))); "The smaller of two numbers"
    "MonitorPin" (pin: "integer") -> (out: "boolean")
        |_| pins::MonitorPin; "Send a pin's state when the pin is chosen"
    "NumberEquals" (a: "integer", b: "integer") -> (out: "boolean")
        |_| number::Pair::new(|a, b| Packet::Boolean(a == b)); "Whether two numbers are equal"
    "core/Output" (r#in: "all") -> ()
        |_| flow::Swallow; "Accept packets"
    "PwmWrite" (dutycycle: "integer", pin: "integer") -> (out: "integer")
        |_| pins::PwmWrite::default(); "Set the duty cycle of a PWM pin, in percent"
    "core/Repeat" (r#in: "all") -> (out: "all")
        |_| flow::Repeat; "Repeat packets"
    "Route" (port: "integer", in1: "all", in2: "all", in3: "all", in4: "all", in5: "all", in6: "all", in7: "all", in8: "all", in9: "all")
        -> (out: "all")
        |_| flow::Route::default(); "Pass on the input with the chosen number"
    "RunningMedian" (r#in: "integer", reset: "bang", values: "integer") -> (out: "integer")
        |_| number::RunningMedian::default(); "The median of the latest values"
    "Split" (r#in: "all")
        -> (out1: "all", out2: "all", out3: "all", out4: "all", out5: "all", out6: "all", out7: "all", out8: "all", out9: "all")
        |_| flow::Split; "Send packets on all out ports"
    "Timer" (interval: "integer", reset: "bang") -> (out: "bang")
        time::Timer::new; "Send a packet every interval milliseconds"
    "ToggleAnimation" (clock: "integer", value0: "all", value1: "all", start: "integer", period: "integer", duration: "integer",
        dutycycle: "integer") -> (value: "all", running: "boolean")
        |_| time::ToggleAnimation::default(); "Alternate between two values"
    "ToggleBoolean" (r#in: "bang", reset: "bang") -> (out: "boolean")
        boolean::ToggleBoolean::new; "Invert the output with every packet"
}

impl Kind {
    /// The component with that id, if the simulated board has it. Stock components that it lacks keep their ids.
    pub(crate) fn by_id(dialect: Dialect, id: u8) -> Option<&'static Kind> {
        let name = library(dialect).nth(usize::from(id).checked_sub(1)?)?;
        KINDS.iter().find(|kind| kind.name == name)
    }

    /// Number of in ports.
    pub(crate) fn in_ports(&self) -> usize {
        self.ins.len()
    }

    /// Number of out ports.
    pub(crate) fn out_ports(&self) -> usize {
        self.outs.len()
    }

    /// A new node's behaviour.
    pub(crate) fn make(&self, dialect: Dialect) -> Box<dyn Logic> {
        (self.make)(dialect)
    }
}

/// The id of a component of that name, if the simulated board has it.
pub fn component_id(dialect: Dialect, name: &str) -> Option<u8> {
    KINDS.iter().find(|kind| kind.name == name)?;
    let place = library(dialect).position(|listed| listed == name)?;
    u8::try_from(place + 1).ok()
}

/// The simulated board's component map, as `microflo generate` writes one:
/// `{components: {Name: {id, description, inPorts: {name: {id, type, description}}, outPorts: …}}}`.
///
/// Ids are those of MicroFlo's stock library of the dialect, followed by `core/Repeat`, `core/Drop` and `core/Output`.
pub fn component_map(dialect: Dialect) -> Value {
    let components: Map<String, Value> = library(dialect)
        .zip(1_u8..)
        .filter_map(|(name, id)| {
            let kind = Kind::by_id(dialect, id)?;
            let (ins, outs) = (port_map(kind.ins), port_map(kind.outs));
            let entry = json!({"id": id, "description": kind.description, "inPorts": ins, "outPorts": outs});
            Some((name.to_owned(), entry))
        })
        .collect();
    json!({ "components": components })
}

fn port_map(ports: &[(&str, &str)]) -> Value {
    let entry = |(id, (name, kind)): (usize, &(&str, &str))| {
        let name = name.strip_prefix("r#").unwrap_or(name);
        (name.to_owned(), json!({"id": id, "type": kind, "description": ""}))
    };
    Value::Object(ports.iter().enumerate().map(entry).collect())
}

fn library(dialect: Dialect) -> impl Iterator<Item = &'static str> {
    let names = match dialect {
        Dialect::Flo01 => LIBRARY_FLO01,
        Dialect::Microflo1 => LIBRARY_MICROFLO1,
    };
    names.split_whitespace()
}
