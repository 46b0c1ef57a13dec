use super::*;

/// As after an unlocking: the installation's secret does not come from these keys.
fn sealer(lines: &[(&str, u8)]) -> Sealer {
    let text: String = lines
        .iter()
        .map(|(id, byte)| {
            format!(
                "{id} {}\n",
                base64::engine::general_purpose::STANDARD.encode([*byte; KEY_BYTES])
            )
        })
        .collect();
    Sealer {
        keys: MasterKeys::parse(&text).unwrap(),
        installation_secret: Zeroizing::new([9; KEY_BYTES]),
    }
}

#[test]
fn opens_for_its_owner_and_nobody_else() {
    let sealer = sealer(&[("k1", 1)]);
    let owner = Uuid::now_v7();
    let sealed = sealer.seal("tenant", owner, b"s3cret").unwrap();
    assert_eq!(sealer.open("tenant", owner, &sealed).unwrap().as_slice(), b"s3cret");
    assert!(matches!(
        sealer.open("tenant", Uuid::now_v7(), &sealed),
        Err(SealingError::Tampered)
    ));
    assert!(matches!(
        sealer.open("operator", owner, &sealed),
        Err(SealingError::Tampered)
    ));
}

#[test]
fn a_changed_byte_is_noticed() {
    let sealer = sealer(&[("k1", 1)]);
    let owner = Uuid::now_v7();
    let sealed = sealer.seal("tenant", owner, b"s3cret").unwrap();
    for index in 0..sealed.ciphertext.len() {
        let mut changed = sealed.clone();
        changed.ciphertext[index] ^= 1;
        assert!(
            matches!(sealer.open("tenant", owner, &changed), Err(SealingError::Tampered)),
            "byte {index}"
        );
    }
}

#[test]
fn an_older_key_still_opens_after_a_rotation() {
    let old = sealer(&[("k1", 1)]);
    let both = sealer(&[("k1", 1), ("k2", 2)]);
    let text = old.seal_text("mail", "link").unwrap();
    assert_eq!(both.open_text("mail", &text).unwrap().as_str(), "link");
    let newer = both.seal_text("mail", "link").unwrap();
    assert!(matches!(
        old.open_text("mail", &newer),
        Err(SealingError::UnknownKey { .. })
    ));
}

#[test]
fn a_key_file_must_hold_whole_keys() {
    assert!(matches!(MasterKeys::parse("# nothing\n"), Err(SealingError::Empty)));
    assert!(matches!(
        MasterKeys::parse("\nk1 c2hvcnQ="),
        Err(SealingError::Malformed { line: 2 })
    ));
}

#[test]
fn what_is_sealed_for_one_thing_does_not_open_for_another() {
    let sealer = sealer(&[("k1", 1)]);
    let sealed = sealer.seal_text_of("answer", &["usr_1", "key"], "secret").unwrap();
    assert_eq!(
        sealer
            .open_text_of("answer", &["usr_1", "key"], &sealed)
            .unwrap()
            .as_str(),
        "secret"
    );
    for other in [["usr_2", "key"], ["usr_1", "other"], ["usr_1k", "ey"]] {
        assert!(matches!(
            sealer.open_text_of("answer", &other, &sealed),
            Err(SealingError::Tampered)
        ));
    }
}
