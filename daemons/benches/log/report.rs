//! One table of everything, a column for each size of the log.

/// Rows in the order in which they came first.
#[derive(Default)]
pub struct Report {
    columns: Vec<String>,
    rows: Vec<(String, Vec<String>)>,
}

impl Report {
    /// Begins a column; what is put from now on stands in it.
    pub fn column(&mut self, head: String) {
        self.columns.push(head);
    }

    /// A figure; none where there is nothing to measure yet.
    pub fn put(&mut self, name: &str, value: Option<String>) {
        let value = value.unwrap_or_else(|| "-".to_owned());
        eprintln!("{name}: {value}");
        let at = self.rows.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.rows.push((name.to_owned(), Vec::new()));
            self.rows.len() - 1
        });
        let values = &mut self.rows[at].1;
        values.resize(self.columns.len() - 1, String::new());
        values.push(value);
    }

    /// Prints it.
    pub fn print(mut self) {
        let heads = std::mem::take(&mut self.columns);
        let columns = heads.len();
        let mut rows = vec![("what".to_owned(), heads)];
        rows.append(&mut self.rows);
        rows.iter_mut().for_each(|(_, values)| values.resize(columns, String::new()));
        let name_width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap();
        let width = |at: usize| rows.iter().map(|(_, values)| values[at].chars().count()).max().unwrap();
        let widths: Vec<usize> = (0..columns).map(width).collect();
        println!();
        for (at, (name, values)) in rows.iter().enumerate() {
            print!("| {name:<name_width$} |");
            values.iter().zip(&widths).for_each(|(value, width)| print!(" {value:>width$} |"));
            println!();
            if at == 0 {
                print!("|{:-<1$}|", "", name_width + 2);
                widths.iter().for_each(|width| print!("{:->1$}:|", "", width + 1));
                println!();
            }
        }
    }
}
