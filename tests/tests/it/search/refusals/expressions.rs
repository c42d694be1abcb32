//! Expressions that are no filter.

use tests::TestServer;

use super::things;

async fn filters_of_lists_are_refused_as_parameters(server: TestServer) {
    let tenant = things(&server).await;
    for (expression, word) in [
        ("amuont==1", "`amount`"),
        ("stage=='wno'", "`won`"),
        ("amount%20%3E", ""),
        ("amount==seats", "property"),
        ("name.matches('a')", "startsWith"),
        ("tags=='a'", "tags"),
        ("5", "condition"),
        ("weight==1", "`thing`"),
    ] {
        let problem = tenant.get(&format!("/records/thing?filter={expression}")).await.problem(400, "bad_request");
        assert_eq!(problem.pointers(), ["/filter"], "{expression}: {}", problem.body);
        assert!(problem.words().contains(word), "{expression}: {}", problem.body);
    }
    let long = format!("/records/thing?filter={}", "(name=='a')||".repeat(2_000) + "true");
    assert!(matches!(tenant.get(&long).await.status, 400 | 414 | 431), "a long expression is refused");
    let both = "/records/thing?filter=amuont==1&limit=0&select=nmae&cursor=nonsense";
    let mut pointers = tenant.get(both).await.problem(400, "bad_request").pointers();
    pointers.sort();
    assert_eq!(pointers, ["/limit"], "what the address says is read first");
    let both = "/records/thing?filter=amuont==1&select=nmae";
    let mut pointers = tenant.get(both).await.problem(400, "bad_request").pointers();
    pointers.sort();
    assert_eq!(pointers, ["/filter", "/select"]);
}

scenarios![filters_of_lists_are_refused_as_parameters];
