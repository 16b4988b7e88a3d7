namespace Kv.Storage.Tests.Files;

/// <summary>An operation that changes the disk, about to happen: its number, what it is, and on what.</summary>
internal readonly record struct FileOperation(long Number, string What, string Path);
