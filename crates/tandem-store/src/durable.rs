//! A local object store whose puts are durable when they return.
//!
//! `object_store`'s local store writes and renames, and leaves the rest to the kernel: after a power cut
//! a file may be there, empty. Here a put writes a staging file, syncs it, gives it its name and syncs
//! the folder (and each new folder's parent). Listings are in order. Everything else is the wrapped store's work.

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use tandem_base::fail;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct DurableStore {
    inner: Arc<LocalFileSystem>,
}

impl DurableStore {
    /// A store whose `/` is `root`, which must exist.
    pub(crate) fn at(root: &FilePath) -> Result<Self> {
        Ok(Self { inner: Arc::new(LocalFileSystem::new_with_prefix(root)?) })
    }
}

impl fmt::Display for DurableStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "durable {}", self.inner)
    }
}

fn failed(path: &FilePath, source: &io::Error) -> Error {
    let path = path.display().to_string();
    let source: Box<dyn std::error::Error + Send + Sync> = Box::new(io::Error::new(source.kind(), source.to_string()));
    match source.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(io::ErrorKind::AlreadyExists) => Error::AlreadyExists { path, source },
        Some(io::ErrorKind::NotFound) => Error::NotFound { path, source },
        _ => Error::Generic { store: "durable", source },
    }
}

/// Makes `folder` and its parents, each durable in its parent.
fn create_folders(folder: &FilePath) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        create_folders(parent)?;
        match std::fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => File::open(parent)?.sync_all()?,
        }
    }
    Ok(())
}

fn put(target: &FilePath, payload: &PutPayload, create_only: bool) -> io::Result<()> {
    let folder = target.parent().ok_or(io::ErrorKind::InvalidInput)?;
    create_folders(folder)?;
    // The wrapped store hides names that end in `#<digits>` from listings.
    let mut staging = target.as_os_str().to_owned();
    staging.push(format!("#{}", uuid::Uuid::new_v4().as_u64_pair().0));
    let staging = PathBuf::from(staging);
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).open(&staging)?;
        for part in payload {
            file.write_all(part)?;
        }
        fail::point("put: a file is staged");
        file.sync_all()?;
        fail::point("put: a file is synced");
        if create_only {
            std::fs::hard_link(&staging, target)?;
            std::fs::remove_file(&staging)
        } else {
            std::fs::rename(&staging, target)
        }
    })();
    if written.is_err() {
        // The error that matters is the first one.
        let _ = std::fs::remove_file(&staging);
    }
    written?;
    fail::point("put: a file has its name");
    File::open(folder)?.sync_all()
}

/// In the order of names, as remote stores list: readers of a log count on it.
fn sorted(listed: BoxStream<'static, Result<ObjectMeta>>) -> BoxStream<'static, Result<ObjectMeta>> {
    let sorted = async move {
        let mut all: Vec<ObjectMeta> = listed.try_collect().await?;
        all.sort_by(|a, b| a.location.cmp(&b.location));
        Ok::<_, Error>(stream::iter(all.into_iter().map(Ok)))
    };
    stream::once(sorted).try_flatten().boxed()
}

#[async_trait]
impl ObjectStore for DurableStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let create_only = match options.mode {
            PutMode::Create => true,
            PutMode::Overwrite => false,
            PutMode::Update(_) => return self.inner.put_opts(location, payload, options).await,
        };
        let target = self.inner.path_to_filesystem(location)?;
        let path = target.clone();
        tokio::task::spawn_blocking(move || put(&target, &payload, create_only))
            .await
            .map_err(|error| Error::JoinError { source: error })?
            .map_err(|error| failed(&path, &error))?;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        sorted(self.inner.list(prefix))
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        sorted(self.inner.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::ObjectStoreExt;

    #[tokio::test]
    async fn put_if_absent_refuses_the_second_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let store = DurableStore::at(folder.path()).unwrap();
        let path = Path::from("a/b/c.json");
        let create = || PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        store.put_opts(&path, "one".into(), create()).await.unwrap();
        let again = store.put_opts(&path, "two".into(), create()).await;
        assert!(matches!(again, Err(Error::AlreadyExists { .. })), "{again:?}");
        assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap(), "one");
        store.put(&path, "three".into()).await.unwrap();
        assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap(), "three");
        assert_eq!(std::fs::read_dir(folder.path().join("a/b")).unwrap().count(), 1);
    }
}
