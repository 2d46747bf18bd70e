//! From one row to a flag, a variable, a key in the file and a line of help.

use std::fmt;

/// Where a setting's value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A flag or an environment variable.
    Given,
    /// The configuration file.
    File,
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Given => "flag or environment",
            Self::File => "file",
            Self::Default => "default",
        })
    }
}

/// One setting as `check-config` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Section and key in the file.
    pub key: &'static str,
    /// Its value.
    pub value: String,
    /// Where that came from.
    pub origin: Origin,
}

/// Makes of a table of settings the resolved struct and the struct in which
/// each may be missing, which clap fills from flags and environment and serde
/// from the file.
macro_rules! settings {
    (
        $(#[doc = $about:literal])+
        $name:ident / $given:ident in $section:literal {
            $(
                $(#[doc = $doc:literal])+
                $(#[arg($($arg:tt)*)])?
                $field:ident: $kind:ty = $default:literal, $flag:literal, $env:literal;
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone)]
        pub struct $name {
            $($(#[doc = $doc])+ pub $field: $kind,)+
        }

        #[derive(Debug, Default, clap::Args, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        struct $given {
            $(
                #[arg(
                    id = $flag, long = $flag, env = $env, hide_env_values = true, global = true,
                    help_heading = $section, value_name = "VALUE",
                    help = concat!($($doc,)+ " [default:", " ", $default, "]"),
                    $($($arg)*)?
                )]
                $field: Option<$kind>,
            )+
        }

        impl $given {
            fn resolve(self, written: Self, rows: &mut Vec<Row>) -> Result<$name, SettingsError> {
                $(
                    let (value, origin) = match (self.$field, written.$field) {
                        (Some(given), _) => (given, Origin::Given),
                        (None, Some(written)) => (written, Origin::File),
                        (None, None) => {
                            let value = $default.parse::<$kind>().map_err(|e| SettingsError::Invalid {
                                key: concat!($section, ".", stringify!($field)),
                                reason: e.to_string(),
                            })?;
                            (value, Origin::Default)
                        }
                    };
                    rows.push(Row {
                        key: concat!($section, ".", stringify!($field)),
                        value: $crate::settings::table::Show::show(&value),
                        origin,
                    });
                    let $field = value;
                )+
                Ok($name { $($field,)+ })
            }
        }
    };
}
pub(super) use settings;

/// A value in one line.
pub(super) trait Show {
    fn show(&self) -> String;
}

impl<T: serde::Serialize> Show for T {
    fn show(&self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(text)) => text,
            Ok(value) => value.to_string(),
            Err(error) => error.to_string(),
        }
    }
}
