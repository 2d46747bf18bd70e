use crate::runtime::{Context, Service, StartError};
pub async fn start(_context: Context) -> Result<Service, StartError> {
    Err(StartError::Other("not there yet".to_owned()))
}
