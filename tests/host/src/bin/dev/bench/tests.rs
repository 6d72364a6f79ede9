//! The numbers command itself, small: it must not rot. Nothing here is about time.

use super::row::{Direction, Pass};
use super::*;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn ten_items_are_measured_in_both_directions_and_every_request_and_statement_has_a_name() {
    let world = start().await.unwrap();

    let rows = measure::all(
        &world,
        &cases(&[10]),
        &Pass::ALL,
        measure::Pace { bucket: (20_000.0, 2_000.0), lifted: false },
    )
    .await
    .unwrap();

    let seen: Vec<_> = rows.iter().map(|row| (row.case.direction, row.pass)).collect();
    let expected: Vec<_> = [Direction::ToErp, Direction::ToShop]
        .into_iter()
        .flat_map(|direction| Pass::ALL.map(|pass| (direction, pass)))
        .collect();
    assert_eq!(seen, expected);
    for row in &rows {
        assert_eq!((row.calls, row.cut, row.uncounted), (1, 0, 0), "{row:?}");
        assert_eq!(row.by_statement.values().sum::<u64>(), row.statements, "{row:?}");
        assert_eq!(row.by_request.values().sum::<u64>(), row.shop + row.erp, "{row:?}");
        let files = row.by_statement.keys().filter(|name| name.contains('/')).count();
        assert_eq!(
            files + 1,
            row.by_statement.len(),
            "all but the choice of items are files of sql/: {row:?}"
        );
        assert_eq!(row.by_statement.get("runs/close"), Some(&1), "{row:?}");
    }
    // The first sync writes; later ones where nothing has changed leave the target alone unless told to look.
    assert!(
        rows[0].by_request.keys().any(|name| name.contains("PUT /services/rest/record")),
        "{:?}",
        rows[0]
    );
    assert_eq!(rows[1].erp, 0);
    assert!(rows[3].erp > 0);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_has_a_line_for_each_run_and_says_which_targets_are_missed() {
    let row = |items: usize, statements: u64| row::Row {
        case: Case { direction: Direction::ToErp, items },
        pass: Pass::First,
        calls: 1,
        cut: 0,
        uncounted: 0,
        took: std::time::Duration::from_millis(500),
        longest: std::time::Duration::from_millis(300),
        memory: row::Memory { instance: 5 << 20, process: Some(7 << 10) },
        shop: 2,
        erp: 3,
        statements,
        by_statement: [("runs/open".to_owned(), statements)].into(),
        by_request: [("shop query One".to_owned(), 2), ("ERP suiteql".to_owned(), 3)].into(),
    };
    let machine = Machine { begun: None, ended: None, memory: (Some(2048), Some(4096)), once: None };
    let rows = vec![row(10, 12), row(100, 13)];

    let report = Report { bucket: (1.0, 2.0), curve: false, rows, machine, build: None, sizes: None };

    let text = report.text();
    assert!(text.contains("2 MiB before, 4 MiB after"), "{text}");
    assert!(text.contains("seconds ≤ 1 yes, statements ≤ 12 no, shop requests ≤ 2 yes, ERP requests ≤ 2 no"));
    assert!(text.contains("statements: 13 runs/open\n  requests: 3 ERP suiteql, 2 shop query One"), "{text}");
    let json = report.json();
    assert_eq!(
        json["rows"][0]["targets"],
        json!([{ "what": "statements", "value": 12.0, "limit": 12.0, "met": true }])
    );
    assert_eq!(json["rows"][1]["byRequest"]["ERP suiteql"], 3);

    let text = Report { curve: true, ..report }.text();
    assert!(text.contains("| 100 | first | 0.50 | 5000 | 1 | 0.30 | 13 | 2 | 3 | 5 | 7 |"), "{text}");
}

#[test]
fn a_curve_goes_one_way_and_no_further_than_it_is_told() {
    let Ok(crate::options::Command::Bench(options)) =
        parse(&["--curve", "--least", "3000", "--most", "10000"].map(str::to_owned))
    else {
        panic!("not understood")
    };
    let (cases, passes) = wanted(&options);
    assert_eq!(cases.iter().map(|case| case.items).collect::<Vec<_>>(), [3_000, 10_000]);
    assert!(cases.iter().all(|case| case.direction == Direction::ToErp));
    assert_eq!(passes, Pass::CURVE);
    assert!(options.pace().lifted, "a curve that waits for budgets shows the budgets");
}

#[test]
fn a_bucket_is_two_numbers_of_points() {
    let options = |text: &str| match parse(&["--quick".to_owned(), format!("--bucket={text}")]) {
        Ok(crate::options::Command::Bench(options)) => Some(options.pace().bucket),
        _ => None,
    };
    assert_eq!(options("2000/100"), Some((2_000.0, 100.0)));
    for wrong in ["2000", "2000/0", "a/b", "2000/inf"] {
        assert_eq!(options(wrong), None, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_of_several_users_are_read_whole_and_within_their_budget() {
    let world = start().await.unwrap();

    let rows = workflows::all(&world, &[(2, 3)]).await.unwrap();
    world.stop().await;

    let seen: Vec<_> = rows.iter().map(|row| (row.pass, row.workflows, row.successes)).collect();
    assert_eq!(seen, [("first", 3, 2), ("again", 4, 2)]);
    assert!(rows.iter().all(|row| (1..=10).contains(&row.requests)), "{rows:?}");
    let table = workflows::table(&rows);
    assert_eq!(
        table.lines().filter(|line| line.contains("first") || line.contains("again")).count(),
        2,
        "{table}"
    );
}
