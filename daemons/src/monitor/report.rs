//! What the sums of probes say of a day, a week and a month.

use super::uptime::{Bucket, bucket_of, share};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use rusqlite::{Connection, params};
use shared::wire::monitor::{DayUptime, UptimeReport};

/// Days in a month here.
const MONTH_DAYS: i64 = 30;
/// Sums in a day.
const BUCKETS_PER_DAY: i64 = 144;

/// One service's sums of one day: all of them, and those of the last day and week.
struct DaySums {
    service: String,
    day: i64,
    all: Bucket,
    in_day: Bucket,
    in_week: Bucket,
}

/// How often each service did well, or one of them, by name.
pub fn uptimes(
    connection: &Connection,
    service: Option<&str>,
    now: DateTime<Utc>,
) -> rusqlite::Result<Vec<UptimeReport>> {
    let since = |days| bucket_of(now - TimeDelta::days(days));
    // The database adds up: a month of one service is 4,320 sums.
    let mut statement = connection.prepare_cached(
        "SELECT service, bucket / ?5, sum(good), sum(total), \
         sum(good * (bucket > ?3)), sum(total * (bucket > ?3)), \
         sum(good * (bucket > ?4)), sum(total * (bucket > ?4)) \
         FROM uptime WHERE bucket > ?2 AND service = ifnull(?1, service) \
         GROUP BY service, bucket / ?5 ORDER BY service, bucket / ?5",
    )?;
    let bounds = params![service, since(MONTH_DAYS), since(1), since(7), BUCKETS_PER_DAY];
    let rows = statement.query_map(bounds, |row| {
        let day = row.get(1)?;
        let sums = |good, total| -> rusqlite::Result<Bucket> {
            let ms = |column| -> rusqlite::Result<u64> { Ok(row.get::<_, i64>(column)?.unsigned_abs()) };
            Ok(Bucket { number: day, good_ms: ms(good)?, total_ms: ms(total)? })
        };
        Ok(DaySums { service: row.get(0)?, day, all: sums(2, 3)?, in_day: sums(4, 5)?, in_week: sums(6, 7)? })
    })?;
    let days = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(days.chunk_by(|a, b| a.service == b.service).map(report).collect())
}

fn report(days: &[DaySums]) -> UptimeReport {
    let shares = days.iter().filter_map(|sums| {
        let day = NaiveDate::default().checked_add_days(Days::new(u64::try_from(sums.day).ok()?))?;
        Some(DayUptime { day, share: share([sums.all].iter())? })
    });
    UptimeReport {
        service: days.first().map(|sums| sums.service.clone()).unwrap_or_default(),
        day: share(days.iter().map(|sums| &sums.in_day)),
        week: share(days.iter().map(|sums| &sums.in_week)),
        month: share(days.iter().map(|sums| &sums.all)),
        days: shares.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::MIGRATIONS;
    use super::*;

    #[test]
    fn a_day_a_week_and_a_month_are_summed_up_each_by_itself() {
        let connection = Connection::open_in_memory().unwrap();
        MIGRATIONS.iter().for_each(|sql| connection.execute_batch(sql).unwrap());
        let now: DateTime<Utc> = "2026-11-22T10:00:00Z".parse().unwrap();
        for (service, hours, good, total) in
            [("A", 1, 1, 2), ("A", 30, 6, 6), ("A", 24 * 20, 0, 8), ("A", 24 * 31, 0, 99), ("B", 50, 3, 4)]
        {
            let bucket = bucket_of(now - TimeDelta::hours(hours));
            connection
                .execute("INSERT INTO uptime VALUES (?1, ?2, ?3, ?4)", params![service, bucket, good, total])
                .unwrap();
        }
        let all = uptimes(&connection, None, now).unwrap();
        let told: Vec<_> = all.iter().map(|r| (r.service.as_str(), r.day, r.week, r.month)).collect();
        assert_eq!(
            told,
            [("A", Some(0.5), Some(7.0 / 8.0), Some(7.0 / 16.0)), ("B", None, Some(0.75), Some(0.75))]
        );
        let days: Vec<_> = all[0].days.iter().map(|day| (day.day.to_string(), day.share)).collect();
        let day = |text: &str, share| (text.to_owned(), share);
        assert_eq!(days, [day("2026-11-02", 0.0), day("2026-11-21", 1.0), day("2026-11-22", 0.5)]);
        assert_eq!(uptimes(&connection, Some("B"), now).unwrap(), all[1..]);
    }
}
