use super::*;
use crate::session::{
    keys::RootKey,
    testing::{Fault, Shelf, alice, pass},
};

const LAG: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(3600);

/// What one instance knows of this store.
fn instance(shelf: &Arc<Shelf>) -> Epochs {
    let names = RootKey::new("store", b"the store that they share").derive("epoch", &[]);
    Epochs::new(shelf.clone(), names, LONGEST, LAG)
}

fn of(subject: &str, client: &str) -> Principal {
    Principal { subject: subject.into(), client: client.into(), ..alice() }
}

#[tokio::test(start_paused = true)]
async fn each_scope_ends_the_sessions_of_its_own_and_of_nobody_else() {
    let alice = alice();
    let issuer = &*alice.issuer;
    let elsewhere = Principal::new("https://other.example", "alice", "client-1");
    let (through_another, someone) = (of("alice", "client-2"), of("bob", "client-1"));
    for (scope, ended) in [
        (RevocationScope::from(&alice), [true, true, false, false]),
        (RevocationScope::Client { issuer, client: "client-1" }, [true, false, true, false]),
        (RevocationScope::Issuer(issuer), [true, true, true, false]),
        (RevocationScope::Subject { issuer, subject: "client-1" }, [false; 4]),
    ] {
        let epochs = instance(&Shelf::shared());
        epochs.end(scope).await.unwrap();
        let mut found = Vec::new();
        for principal in [&alice, &through_another, &someone, &elsewhere] {
            found.push(epochs.whose(principal).await.unwrap().is_some());
        }
        assert_eq!(found, ended, "{scope:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_instance_knows_it_within_the_lag_and_asks_one_question_in_that_time() {
    let shelf = Shelf::shared();
    let (one, other) = (instance(&shelf), instance(&shelf));
    assert!(other.whose(&alice()).await.unwrap().is_none());
    one.end((&alice()).into()).await.unwrap();
    assert!(one.whose(&alice()).await.unwrap().is_some(), "the one that was told knows it at once");
    let calls = shelf.calls();
    pass(LAG - Duration::from_millis(1)).await;
    assert!(other.whose(&alice()).await.unwrap().is_none());
    assert_eq!(shelf.calls(), calls, "what was read lately is not asked for again");
    pass(Duration::from_millis(1)).await;
    assert!(other.whose(&alice()).await.unwrap().is_some());
    let calls = shelf.calls();
    pass(LAG).await;
    assert!(other.whose(&alice()).await.unwrap().is_some());
    assert_eq!(shelf.calls(), calls + 1, "as long as nobody ended anything, one question is enough");
}

#[tokio::test(start_paused = true)]
async fn in_a_store_of_ones_own_there_is_no_lag() {
    let shelf = Shelf::new();
    let (one, other) = (instance(&shelf), instance(&shelf));
    assert!(other.whose(&alice()).await.unwrap().is_none());
    one.end((&alice()).into()).await.unwrap();
    assert!(other.whose(&alice()).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn each_end_makes_somebody_another_one_than_ever_before() {
    let epochs = instance(&Shelf::new());
    let mut seen = std::collections::HashSet::from([alice()]);
    for scope in [RevocationScope::from(&alice()), RevocationScope::Issuer(&alice().issuer), (&alice()).into()] {
        epochs.end(scope).await.unwrap();
        let whose = epochs.whose(&alice()).await.unwrap().expect("they were ended");
        assert_eq!((&whose.issuer, &whose.subject), (&alice().issuer, &alice().subject));
        assert!(seen.insert((*whose).clone()));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_opened_is_asked_for_now_so_that_it_lives_longer_than_the_lag() {
    let shelf = Shelf::shared();
    let (one, other) = (instance(&shelf), instance(&shelf));
    assert!(other.whose(&alice()).await.unwrap().is_none());
    one.end((&alice()).into()).await.unwrap();
    let whose = other.whose_now(&alice()).await.unwrap().expect("asked now, it is known");
    assert_eq!(other.whose(&alice()).await.unwrap(), Some(whose.clone()));
    assert_eq!(one.whose(&alice()).await.unwrap(), Some(whose));
}

#[tokio::test(start_paused = true)]
async fn instances_that_end_sessions_at_once_do_not_lose_each_others() {
    let shelf = Shelf::shared();
    let instances: Vec<_> = (0..4).map(|_| instance(&shelf)).collect();
    let (alice, bob) = (alice(), of("bob", "client-9"));
    let ended = instances.iter().map(|one| async {
        let (hers, his) = tokio::join!(one.end((&alice).into()), one.end((&bob).into()));
        hers.and(his)
    });
    for ended in futures_util::future::join_all(ended).await {
        ended.unwrap();
    }
    pass(LAG).await;
    for one in &instances {
        assert!(one.whose(&alice).await.unwrap().is_some() && one.whose(&bob).await.unwrap().is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_an_error_and_never_an_answer() {
    let shelf = Shelf::shared();
    let epochs = instance(&shelf);
    shelf.fail([Fault::Refuse]);
    assert!(epochs.end((&alice()).into()).await.is_err());
    shelf.fail([Fault::Hang]);
    assert!(epochs.whose(&alice()).await.is_err());
    shelf.fail([Fault::None, Fault::Refuse]);
    assert!(epochs.whose(&alice()).await.is_err(), "half an answer is none");
    assert!(epochs.whose(&alice()).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn many_principals_are_not_all_remembered() {
    let epochs = instance(&Shelf::new());
    for number in 0..=MOST {
        epochs.whose(&of(&number.to_string(), "")).await.unwrap();
    }
    assert!(epochs.known().somebody.len() <= MOST);
}

#[tokio::test(start_paused = true)]
async fn a_record_names_nobody_and_is_kept_as_long_as_whoever_it_is_of_comes_back() {
    let shelf = Shelf::shared();
    let epochs = instance(&shelf);
    epochs.end((&alice()).into()).await.unwrap();
    let key = epochs.key((&alice()).into());
    assert!(!String::from_utf8_lossy(&key.0).contains("alice"));
    let whose = epochs.whose(&alice()).await.unwrap();
    // Nobody else ends anything, so that what is known stays valid; the record must not expire behind it.
    for _ in 0..20 {
        pass(LONGEST - Duration::from_secs(1)).await;
        assert_eq!(epochs.whose(&alice()).await.unwrap(), whose);
        assert_eq!(instance(&shelf).whose(&alice()).await.unwrap(), whose);
    }
    pass(2 * LONGEST + Duration::from_secs(1)).await;
    assert!(instance(&shelf).whose(&alice()).await.unwrap().is_none(), "nothing is left that it could end");
}
