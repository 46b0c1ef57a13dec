use tenantry_domain::{
    accounts::FactorHolder,
    ids::{OperatorId, OrganizationId, UserId},
};
use uuid::Uuid;

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

const OWNER: Uuid = Uuid::from_u128(1);
const OTHER: Uuid = Uuid::from_u128(2);

fn place() -> Place<'static> {
    Place {
        scope: "tenant",
        organization: Some(OrganizationId::from_uuid(OWNER)),
        owner: OWNER,
        name: "admin/password",
    }
}

#[test]
fn a_secret_opens_in_its_place_and_nowhere_else() {
    let sealer = sealer(&[("k1", 1)]);
    let sealed = sealer.seal_secret(place(), b"s3cret").unwrap();
    assert_eq!(
        sealer.open_secret(place(), sealed.clone()).unwrap().as_slice(),
        b"s3cret"
    );
    let elsewhere = [
        Place {
            scope: "operator",
            ..place()
        },
        Place {
            organization: Some(OrganizationId::from_uuid(OTHER)),
            ..place()
        },
        Place {
            organization: None,
            ..place()
        },
        Place {
            owner: OTHER,
            ..place()
        },
        Place {
            name: "admin/token",
            ..place()
        },
    ];
    for elsewhere in elsewhere {
        let opened = sealer.open_secret(elsewhere, sealed.clone());
        assert!(matches!(opened, Err(SealingError::Tampered)), "{elsewhere:?}");
    }
}

#[test]
fn a_secret_cannot_be_passed_off_as_one_of_a_former_form() {
    let sealer = sealer(&[("k1", 1)]);
    let mut sealed = sealer.seal_secret(place(), b"s3cret").unwrap();
    sealed.format = 1;
    assert!(matches!(
        sealer.open_secret(place(), sealed.clone()),
        Err(SealingError::Tampered)
    ));
    sealed.format = 3;
    assert!(matches!(
        sealer.open_secret(place(), sealed),
        Err(SealingError::UnknownFormat { format: 3 })
    ));
}

#[test]
fn a_secret_of_a_former_release_opens() {
    let sealer = sealer(&[("k1", 1)]);
    // The same bytes were bound into a secret of this scope.
    let purpose = Purpose::PersonalKey { subject: OWNER };
    let sealed = sealer.seal(&purpose, b"s3cret").unwrap();
    let row = SealedSecret {
        name: "any".to_owned(),
        format: 1,
        key_id: sealed.key_id,
        wrapped_key: sealed.wrapped_key,
        ciphertext: sealed.ciphertext,
    };
    let place = Place {
        scope: "personal_key",
        organization: None,
        owner: OWNER,
        name: "any",
    };
    assert_eq!(sealer.open_secret(place, row).unwrap().as_slice(), b"s3cret");
}

#[test]
fn a_signing_key_of_a_former_release_opens_and_is_sealed_for_itself_from_then_on() {
    let sealer = sealer(&[("k1", 1)]);
    let first = Purpose::SigningKey { kid: "first-key" };
    let former = sealer.keys.seal_in_form(1, &first, b"private").unwrap();
    let rest = [former.wrapped_key, former.ciphertext].map(|part| BASE64.encode(part));
    let opened = sealer
        .open_text(&first, &(text_prefix("k1") + &rest.join(".")))
        .unwrap();
    assert_eq!(opened.as_str(), "private");
    let anew = sealer.seal_text(&first, &opened).unwrap();
    let second = Purpose::SigningKey { kid: "second-key" };
    assert!(matches!(sealer.open_text(&second, &anew), Err(SealingError::Tampered)));
}

#[test]
fn a_changed_byte_is_noticed() {
    let sealer = sealer(&[("k1", 1)]);
    let sealed = sealer.seal_secret(place(), b"s3cret").unwrap();
    for index in 0..sealed.ciphertext.len() {
        let mut changed = sealed.clone();
        changed.ciphertext[index] ^= 1;
        assert!(
            matches!(sealer.open_secret(place(), changed), Err(SealingError::Tampered)),
            "byte {index}"
        );
    }
}

#[test]
fn an_older_key_still_opens_after_a_rotation() {
    let old = sealer(&[("k1", 1)]);
    let both = sealer(&[("k1", 1), ("k2", 2)]);
    let text = old.seal_text(&Purpose::Mail, "link").unwrap();
    assert_eq!(both.open_text(&Purpose::Mail, &text).unwrap().as_str(), "link");
    let newer = both.seal_text(&Purpose::Mail, "link").unwrap();
    assert!(matches!(
        old.open_text(&Purpose::Mail, &newer),
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
    let user = FactorHolder::User(UserId::from_uuid(OWNER));
    let purposes = [
        Purpose::Mail,
        Purpose::SigningKey { kid: "first-key" },
        Purpose::SigningKey { kid: "second-key" },
        Purpose::PersonalKey { subject: OWNER },
        Purpose::Totp(user),
        Purpose::Totp(FactorHolder::User(UserId::from_uuid(OTHER))),
        Purpose::Totp(FactorHolder::Operator(OperatorId::from_uuid(OWNER))),
        Purpose::Answer {
            principal: "usr_1",
            key: "key",
        },
        Purpose::Answer {
            principal: "usr_2",
            key: "key",
        },
        Purpose::Answer {
            principal: "usr_1k",
            key: "ey",
        },
        Purpose::Secret(place()),
    ];
    for sealed_for in &purposes {
        let sealed = sealer.seal_text(sealed_for, "secret").unwrap();
        for opened_for in &purposes {
            let opened = sealer.open_text(opened_for, &sealed);
            assert_eq!(
                opened.is_ok(),
                sealed_for == opened_for,
                "{sealed_for:?}, {opened_for:?}"
            );
        }
    }
}

/// What earlier releases have sealed stays readable: what is bound in is part of the format.
#[test]
fn what_is_bound_in_does_not_change() {
    let bound = |purpose: Purpose<'_>| String::from_utf8(purpose.binding(1).unwrap()).unwrap();
    let nil = Uuid::nil();
    assert_eq!(bound(Purpose::Mail), format!("tenantry/mail/{nil}"));
    assert_eq!(
        bound(Purpose::SigningKey { kid: "any" }),
        format!("tenantry/signing key/{nil}")
    );
    assert_eq!(
        bound(Purpose::PersonalKey { subject: OWNER }),
        format!("tenantry/personal_key/{OWNER}")
    );
    assert_eq!(bound(Purpose::Secret(place())), format!("tenantry/tenant/{OWNER}"));
    let holder = FactorHolder::User(UserId::from_uuid(OWNER));
    assert_eq!(bound(Purpose::Totp(holder)), format!("tenantry/totp/{holder}/{nil}"));
    assert_eq!(
        Purpose::Secret(Place {
            organization: None,
            name: "n",
            scope: "s",
            owner: nil
        })
        .binding(2)
        .unwrap(),
        [
            b"tenantry\0named\0\0\0\0\0\0\0\0\x01s".as_slice(),
            &[0; 8],
            b"\0\0\0\0\0\0\0\x10",
            &[0; 16],
            b"\0\0\0\0\0\0\0\x01n",
        ]
        .concat()
    );
}
