//! Questions, contact, and links that open a chat.

use qutab_tests::World;

#[tokio::test]
async fn questions_are_answered_in_both_languages_and_cacheable() {
    let w = World::new().await;
    let answer = w.send("GET", "/api/helpdesk/faq", None, &[], None).await;
    assert_eq!(answer.headers["cache-control"], "public, max-age=300");
    let indonesian = answer.ok()["items"].as_array().unwrap().clone();
    let english = w.send("GET", "/api/helpdesk/faq?lang=en", None, &[], None).await.ok()["items"].as_array().unwrap().clone();
    assert!(indonesian.len() >= 3 && indonesian.len() == english.len());
    assert_ne!(indonesian[0]["question"], english[0]["question"]);
    let promoters = w.send("GET", "/api/helpdesk/faq?for=affiliate", None, &[], None).await.ok();
    assert!(!promoters["items"].as_array().unwrap().is_empty());
    assert_eq!(w.send("GET", "/api/helpdesk/faq?lang=fr", None, &[], None).await.status, 422);
}

#[tokio::test]
async fn there_is_a_number_and_an_address_to_write_to() {
    let w = World::new().await;
    let contact = w.send("GET", "/api/helpdesk/contact", None, &[], None).await.ok();
    assert!(contact["whatsapp"].as_str().unwrap().starts_with("+62"));
    assert!(contact["email"].as_str().unwrap().contains('@') && contact["hours"].as_str().unwrap().contains("WIB"));
}

#[tokio::test]
async fn a_chat_opens_with_the_first_words_filled_in() {
    let w = World::new().await;
    let link = w.send("GET", "/api/helpdesk/whatsapp-link?topic=order&order=QTB-261123-AB12", None, &[], None).await.ok();
    let (url, message) = (link["url"].as_str().unwrap(), link["message"].as_str().unwrap());
    assert!(message.ends_with("pesanan saya QTB-261123-AB12"), "{message}");
    let (address, query) = url.split_once("?text=").unwrap();
    assert!(address.strip_prefix("https://wa.me/").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit())));
    assert!(!query.contains([' ', '&', '\'']) && query.contains("QTB-261123-AB12"), "{query}");
    let wild = w.send("GET", "/api/helpdesk/whatsapp-link?topic=order&order=a%26b%23c", None, &[], None).await.ok();
    assert!(wild["url"].as_str().unwrap().ends_with("a%26b%23c"));
    assert_eq!(w.send("GET", "/api/helpdesk/whatsapp-link?topic=x", None, &[], None).await.status, 422);
}
