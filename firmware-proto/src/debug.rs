//! Debug levels and debug points: what a board says about itself in `DebugMessage` events and `Error` responses.

/// How much a board reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum DebugLevel {
    /// Errors only.
    Error = 1,
    /// And what happens.
    Info = 2,
    /// And how.
    Detailed = 3,
    /// About ten messages per command.
    VeryDetailed = 4,
}

/// Where in the firmware a debug message or error comes from. Numbers without a name here are kept as they are.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DebugPoint(pub u8);

macro_rules! points {
    ($($name:ident = $number:literal),* $(,)?) => {
        #[allow(missing_docs, non_upper_case_globals)] // the firmware's own names
        impl DebugPoint {
            $(pub const $name: DebugPoint = DebugPoint($number);)*

            /// The firmware's name of the point, where it has one.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

points! {
    ProgramStart = 1,
    ComponentCreateStart = 2,
    ComponentCreateEnd = 3,
    ParserInvalidState = 4,
    ParserUnknownState = 5,
    ParseHeader = 6,
    ParseCommand = 7,
    ParseByte = 8,
    ParserUnknownCommand = 9,
    ParserInvalidCommand = 10,
    ParserUnknownPacketType = 11,
    NetworkConnectInvalidNodes = 12,
    ConnectNodesStart = 13,
    ReadByte = 14,
    AddNodeInvalidInstance = 15,
    ComponentSendInvalidPort = 16,
    ParseLookForHeader = 17,
    MagicMismatch = 18,
    NotImplemented = 19,
    SubGraphConnectNotASubgraph = 20,
    SubGraphConnectInvalidNodes = 21,
    SubGraphReceivedNormalMessage = 22,
    SendMessageInvalidNode = 23,
    AddNodeInvalidParent = 24,
    SubscribePortInvalidNode = 25,
    IoOperationNotImplemented = 26,
    InvalidComponentUsed = 27,
    IoFailure = 28,
    DeliverMessagesInvalidMessageId = 29,
    NotSupported = 30,
    MagicMatched = 31,
    EndOfTransmission = 32,
    IoInvalidValueSet = 33,
    UnknownIoType = 34,
    SubscribePortInvalidPort = 35,
    RemoveNodeInvalidInstance = 36,
    RemoveNodeInvalidParent = 37,
    User1 = 100,
    User2 = 101,
    User3 = 102,
    User4 = 103,
    User5 = 104,
    User6 = 105,
}

impl core::fmt::Display for DebugPoint {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "debug point {}", self.0),
        }
    }
}

impl core::fmt::Debug for DebugPoint {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}
