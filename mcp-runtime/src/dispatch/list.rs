//! Lists, page by page: what was declared, then what each provider has.

use std::{collections::HashSet, time::Duration};

use super::{
    Dispatch, internal,
    position::{Place, Position},
    provided::{guarded_quiet, listing_failed},
};
use crate::{
    call::{Carrier, Context, Fault, Item, List, Outcome, Page, Shown, ToolError},
    protocol::{Prompt, Resource, ResourceTemplate, Tool},
    provider::{self, Providers},
    schema::check_tool,
    service::BoxFuture,
    session::principal_tag,
    wire::Code,
};

/// A provider's cursor may have so many bytes.
const LONGEST_CURSOR: usize = 2_048;
/// A client that stops in the middle of a list may go on within a day.
const CURSORS_LIVE: Duration = Duration::from_secs(24 * 60 * 60);

/// Everything that was declared, by list, in the order in which it is listed.
#[derive(Default)]
pub(crate) struct Names {
    pub(super) tools: Vec<Named>,
    pub(super) prompts: Vec<Named>,
    pub(super) resources: Vec<Named>,
    pub(super) templates: Vec<Named>,
}

/// One thing that was declared.
pub(super) struct Named {
    /// As clients see it.
    pub(super) shown: Box<str>,
    /// As it was declared: the list that it would stand in if no handle carried state, and its name there.
    pub(super) list: List,
    pub(super) declared: &'static str,
}

impl Named {
    fn item(&self) -> Item<'static> {
        match self.list {
            List::Tools => Item::Tool(self.declared),
            List::Prompts => Item::Prompt(self.declared),
            List::Resources => Item::Resource(self.declared),
            List::Templates => Item::Template(self.declared),
        }
    }
}

impl Names {
    fn list(&self, list: List) -> &[Named] {
        match list {
            List::Tools => &self.tools,
            List::Prompts => &self.prompts,
            List::Resources => &self.resources,
            List::Templates => &self.templates,
        }
    }
}

/// Something that is listed, and that providers may have.
trait Listable: Sized + Send {
    const LIST: List;

    fn called(&self) -> &str;

    fn item(name: &str) -> Item<'_>;

    /// Whether clients can use it.
    fn check(&self) -> Result<(), String>;

    /// How many providers there are.
    fn count(providers: &Providers) -> usize;

    /// A page of the provider at `index`; `None` where there is no such provider.
    fn ask<'a>(
        providers: &'a Providers,
        index: usize,
        cx: &'a Context,
        cursor: Option<&'a str>,
    ) -> Option<BoxFuture<'a, Result<provider::Page<Self>, ToolError>>>;

    fn outcome(page: Page<Self>) -> Outcome;
}

impl Dispatch {
    /// The whole list, if it is on one page: what was declared, the same for everybody. `None` where there is more to do.
    pub(super) fn whole_list(&self, list: List, cursor: Option<&str>, carrier: &Carrier) -> Option<Outcome> {
        let handles = self.by_handle(carrier);
        let plain =
            cursor.is_none() && self.visible.is_none() && self.offered.has(list) && !self.offered.personal.has(list);
        let one = plain && self.names(handles).list(list).len() <= self.page_size;
        one.then(|| match list {
            List::Tools => Outcome::Tools(whole(handles)),
            List::Prompts => Outcome::Prompts(whole(handles)),
            List::Resources => Outcome::Resources(whole(handles)),
            List::Templates => Outcome::Templates(whole(handles)),
        })
    }

    /// A page of a list.
    pub(super) async fn list(
        &self,
        list: List,
        cursor: Option<&str>,
        carrier: &Carrier,
        cx: &Context,
    ) -> Result<Outcome, Fault> {
        match list {
            List::Tools => self.page::<Tool>(cursor, carrier, cx).await,
            List::Prompts => self.page::<Prompt>(cursor, carrier, cx).await,
            List::Resources => self.page::<Resource>(cursor, carrier, cx).await,
            List::Templates => self.page::<ResourceTemplate>(cursor, carrier, cx).await,
        }
    }

    async fn page<T: Listable>(&self, cursor: Option<&str>, carrier: &Carrier, cx: &Context) -> Result<Outcome, Fault> {
        let mut position = match cursor {
            None => Position { place: Place::Declared, skip: 0 },
            Some(cursor) => self.open_cursor(T::LIST, cursor, cx)?,
        };
        let handles = self.by_handle(carrier);
        let names = self.names(handles).list(T::LIST);
        let mut shown = Vec::new();
        let mut found = Vec::new();
        if position.place == Place::Declared {
            // A position among the declared counts those that are hidden too: what a caller may see may change.
            let visible = |index: &usize| names.get(*index).is_some_and(|named| self.shows_listed(named.item(), cx));
            let mut rest = (position.skip..names.len()).filter(visible);
            shown.extend(rest.by_ref().take(self.page_size));
            position = match rest.next() {
                Some(skip) => Position { place: Place::Declared, skip },
                None => Position { place: Place::Provided { provider: 0, cursor: None }, skip: 0 },
            };
        }
        let mut next = Some(position);
        while let Some(Position { place: Place::Provided { provider, cursor }, skip }) = &next
            && shown.len() + found.len() < self.page_size
        {
            let Some(asked) = T::ask(&self.providers, *provider, cx, cursor.as_deref()) else {
                next = None;
                break;
            };
            let page = guarded_quiet("a provider's list", asked).await?.map_err(|error| listing_failed(&error))?;
            let (provider, skip) = (*provider, *skip);
            let (fits, behind) = self.fit(names, &shown, page, skip, &mut found, cx);
            next = Some(match behind {
                Behind::SamePage => {
                    Position { place: Place::Provided { provider, cursor: cursor.clone() }, skip: skip + fits }
                }
                Behind::Cursor(cursor) => {
                    Position { place: Place::Provided { provider, cursor: Some(cursor) }, skip: 0 }
                }
                Behind::NextProvider => {
                    Position { place: Place::Provided { provider: provider + 1, cursor: None }, skip: 0 }
                }
            });
            if matches!(&next, Some(Position { place: Place::Provided { cursor: Some(_), .. }, .. })) {
                // A provider's next page is asked for when the client asks for it.
                break;
            }
        }
        // Behind the last provider there is nothing: no cursor, instead of one to an empty page.
        let count = T::count(&self.providers);
        let next = next.filter(|next| !matches!(next.place, Place::Provided { provider, .. } if provider >= count));
        let next = next.map(|position| self.seal_cursor(T::LIST, &position, cx)).transpose()?;
        let shown = if shown.len() == names.len() { Shown::All } else { Shown::These(shown) };
        Ok(T::outcome(Page { handles, shown, found, next }))
    }

    /// Takes from a provider's page what still fits; says how many of its items were passed and what lies behind them.
    fn fit<T: Listable>(
        &self,
        names: &[Named],
        shown: &[usize],
        page: provider::Page<T>,
        skip: usize,
        found: &mut Vec<T>,
        cx: &Context,
    ) -> (usize, Behind) {
        let provider::Page { items, next } = page;
        let declared: HashSet<&str> = names.iter().map(|named| &*named.shown).collect();
        let mut passed = 0;
        let mut items = items.into_iter().skip(skip).peekable();
        while shown.len() + found.len() < self.page_size {
            let Some(thing) = items.next() else { break };
            passed += 1;
            let wrong = thing.check().err();
            let taken =
                declared.contains(thing.called()) || found.iter().any(|other: &T| other.called() == thing.called());
            if let Some(wrong) = wrong {
                tracing::warn!(name = thing.called(), "a provided item is left out: {wrong}");
            } else if taken {
                tracing::warn!(name = thing.called(), "a provided item is left out: its name is taken");
            } else if self.shows(T::item(thing.called()), cx) {
                found.push(thing);
            }
        }
        let behind = match next {
            _ if items.peek().is_some() => Behind::SamePage,
            Some(next) if next.len() > LONGEST_CURSOR => {
                tracing::error!(bytes = next.len(), limit = LONGEST_CURSOR, "a provider's cursor is too long");
                Behind::NextProvider
            }
            Some(next) => Behind::Cursor(next),
            None => Behind::NextProvider,
        };
        (passed, behind)
    }

    /// Whether this declared thing is listed for this caller; the tool that mints handles is the framework's own.
    fn shows_listed(&self, item: Item<'_>, cx: &Context) -> bool {
        item == Item::Tool(self.handles.minting_tool) && self.handles.offered || self.shows(item, cx)
    }

    fn names(&self, handles: bool) -> &Names {
        if handles { &self.catalogue.names_with_handles } else { &self.catalogue.names }
    }

    fn open_cursor(&self, list: List, cursor: &str, cx: &Context) -> Result<Position, Fault> {
        let bytes = self.sessions.seals().open(purpose(list), &[&principal_tag(cx.principal())], cursor);
        let position = bytes.and_then(|bytes| Position::read(&bytes));
        position.ok_or_else(|| Fault::new(Code::INVALID_PARAMS, "`params.cursor` is not a cursor of this list"))
    }

    fn seal_cursor(&self, list: List, position: &Position, cx: &Context) -> Result<Box<str>, Fault> {
        let principal = principal_tag(cx.principal());
        let sealed = self.sessions.seals().seal(purpose(list), &[&principal], &position.write(), CURSORS_LIVE);
        sealed.map(Into::into).ok_or_else(|| internal("sealing a cursor", &std::io::Error::other("there is no key")))
    }
}

/// What lies behind the items that were taken from a provider's page.
enum Behind {
    /// More of this page.
    SamePage,
    /// A page of the same provider.
    Cursor(String),
    /// The next provider.
    NextProvider,
}

/// A cursor of one list is worth nothing for another.
fn purpose(list: List) -> &'static str {
    match list {
        List::Tools => "cursor of tools",
        List::Prompts => "cursor of prompts",
        List::Resources => "cursor of resources",
        List::Templates => "cursor of templates",
    }
}

/// A page of all that was declared.
fn whole<T>(handles: bool) -> Page<T> {
    Page { handles, shown: Shown::All, found: Vec::new(), next: None }
}

impl Listable for Tool {
    const LIST: List = List::Tools;

    fn called(&self) -> &str {
        &self.name
    }

    fn item(name: &str) -> Item<'_> {
        Item::Tool(name)
    }

    fn check(&self) -> Result<(), String> {
        check_tool(self)
    }

    fn count(providers: &Providers) -> usize {
        providers.tools.len()
    }

    fn ask<'a>(
        providers: &'a Providers,
        index: usize,
        cx: &'a Context,
        cursor: Option<&'a str>,
    ) -> Option<BoxFuture<'a, Result<provider::Page<Self>, ToolError>>> {
        Some(providers.tools.get(index)?.list(cx, cursor))
    }

    fn outcome(page: Page<Self>) -> Outcome {
        Outcome::Tools(page)
    }
}

impl Listable for Prompt {
    const LIST: List = List::Prompts;

    fn called(&self) -> &str {
        &self.name
    }

    fn item(name: &str) -> Item<'_> {
        Item::Prompt(name)
    }

    fn check(&self) -> Result<(), String> {
        if self.name.is_empty() { Err("it has no name".to_owned()) } else { Ok(()) }
    }

    fn count(providers: &Providers) -> usize {
        providers.prompts.len()
    }

    fn ask<'a>(
        providers: &'a Providers,
        index: usize,
        cx: &'a Context,
        cursor: Option<&'a str>,
    ) -> Option<BoxFuture<'a, Result<provider::Page<Self>, ToolError>>> {
        Some(providers.prompts.get(index)?.list(cx, cursor))
    }

    fn outcome(page: Page<Self>) -> Outcome {
        Outcome::Prompts(page)
    }
}

impl Listable for Resource {
    const LIST: List = List::Resources;

    fn called(&self) -> &str {
        &self.uri
    }

    fn item(name: &str) -> Item<'_> {
        Item::Resource(name)
    }

    fn check(&self) -> Result<(), String> {
        has_scheme(&self.uri)
    }

    fn count(providers: &Providers) -> usize {
        providers.resources.len()
    }

    fn ask<'a>(
        providers: &'a Providers,
        index: usize,
        cx: &'a Context,
        cursor: Option<&'a str>,
    ) -> Option<BoxFuture<'a, Result<provider::Page<Self>, ToolError>>> {
        Some(providers.resources.get(index)?.list(cx, cursor))
    }

    fn outcome(page: Page<Self>) -> Outcome {
        Outcome::Resources(page)
    }
}

impl Listable for ResourceTemplate {
    const LIST: List = List::Templates;

    fn called(&self) -> &str {
        &self.uri_template
    }

    fn item(name: &str) -> Item<'_> {
        Item::Template(name)
    }

    fn check(&self) -> Result<(), String> {
        has_scheme(&self.uri_template)
    }

    fn count(providers: &Providers) -> usize {
        providers.resources.len()
    }

    fn ask<'a>(
        providers: &'a Providers,
        index: usize,
        cx: &'a Context,
        cursor: Option<&'a str>,
    ) -> Option<BoxFuture<'a, Result<provider::Page<Self>, ToolError>>> {
        Some(providers.resources.get(index)?.templates(cx, cursor))
    }

    fn outcome(page: Page<Self>) -> Outcome {
        Outcome::Templates(page)
    }
}

fn has_scheme(uri: &str) -> Result<(), String> {
    if provider::has_scheme(uri) { Ok(()) } else { Err("it begins with no scheme, such as `notes://`".to_owned()) }
}
