//! Pictures in answers: every size with its address.

use crate::{
    app::Site,
    domain::picture::{Picture, Size},
};
use serde_json::{Value, json};

pub fn sizes(site: &Site, picture: &Picture) -> Vec<Value> {
    let size = |s: Size| json!({ "width": s.width, "height": s.height, "url": format!("{}/{}", site.media, picture.key(s)) });
    picture.sizes().into_iter().map(size).collect()
}
