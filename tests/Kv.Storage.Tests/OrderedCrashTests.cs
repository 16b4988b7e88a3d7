using System.Globalization;
using System.Text.RegularExpressions;

namespace Kv.Storage.Tests;

/// <summary>
/// What a crash leaves of RocksDB's files, which are not written by the port. It puts files of records on disk before the manifest that names them, and that before it deletes others; so between two
/// checkpoints anything may be there of what came since the first, up to some length. With the log nothing is lost. And whatever else is cut short or gone is found.
/// </summary>
public sealed class OrderedCrashTests(OrderedCrashTests.Course course) : IClassFixture<OrderedCrashTests.Course>
{
    private readonly OrderedDirectory written = course.Written;

    /// <summary>Written once for all.</summary>
    public sealed class Course : IDisposable
    {
        internal OrderedDirectory Written { get; } = new(checkpoints: 4, tail: 60);

        public void Dispose() => Written.Dispose();
    }

    [Fact]
    public void FilesThatNoManifestNames_AreForgotten()
    {
        foreach (var (before, after) in Intervals())
        {
            foreach (var file in NewFiles(before.Files, after))
            {
                foreach (var length in Lengths(0, file.Length))
                {
                    AssertIsWhole(before, there => Cut(file, there, length), $"{file.Name} cut to {length} of {file.Length}");
                }
            }
        }
    }

    [Fact]
    public void AManifestThatIsNotOnDiskToItsEnd_IsTakenUpToThere()
    {
        foreach (var (before, after) in Intervals())
        {
            foreach (var length in ManifestLengths(before, after))
            {
                AssertIsWhole(before, there => LoseManifest(before, after, there, length), $"{ManifestOf(after)} cut to {length}");
            }
        }
    }

    /// <summary>Where the file system has the manifest's length on disk and not its bytes, RocksDB may take it for corrupted, and so do we: it is damage then, and never less than there was.</summary>
    [Fact]
    public void AManifestThatEndsInZeros_IsTakenUpToThere_OrFound()
    {
        foreach (var (before, after) in Intervals())
        {
            foreach (var length in ManifestLengths(before, after))
            {
                written.DamageAfter(before.Files, before, there =>
                {
                    LoseManifest(before, after, there, length);
                    using var manifest = File.OpenWrite(ManifestOf(there).FullName);
                    manifest.SetLength(ManifestOf(after).Length);
                }, $"{ManifestOf(after)} zeros from {length} on");
            }
        }
    }

    /// <summary>It ends as if nothing were missing; some of them say nothing of the records.</summary>
    [Fact]
    public void AManifestWithoutItsLastRecords_IsFound_WhereTheySayWhatThereIs()
    {
        var found = 0;
        foreach (var checkpoint in written.Checkpoints)
        {
            foreach (var length in OrderedManifestRecords.Starts(File.ReadAllBytes(ManifestOf(checkpoint.Files).FullName)).Skip(1))
            {
                found += written.DamageAfter(checkpoint.Files, checkpoint, there => Cut(ManifestOf(checkpoint.Files), there, length), $"{ManifestOf(checkpoint.Files)} cut to {length}") is null ? 0 : 1;
            }
        }

        Assert.True(found > written.Checkpoints.Count, $"{found} were found");
    }

    [Fact]
    public void AStartThatDidNotComeToItsEnd_IsBegunAnew()
    {
        var last = written.Checkpoints[^1];
        var manifest = ManifestOf(last.Files);
        foreach (var length in Lengths(0, manifest.Length))
        {
            AssertIsWhole(last, there =>
            {
                Cut(manifest, there, length, "MANIFEST-000999");
                File.WriteAllText(Path.Combine(there, "000999.dbtmp"), "MANIFEST-000999\n"[..(int)(length % 17)]);
            }, $"the next manifest cut to {length}");
        }
    }

    [Fact]
    public void WhatNoCrashCutsShortOrTakesAway_IsFound()
    {
        var last = written.Checkpoints[^1];
        var found = 0;
        foreach (var file in new DirectoryInfo(last.Files).GetFiles().Where(file => !file.Name.StartsWith("LOG", StringComparison.Ordinal)))
        {
            foreach (var length in Lengths(0, file.Length - 1))
            {
                found += written.DamageAfter(last.Files, last, there => Cut(file, there, length), $"{file.Name} cut to {length} of {file.Length}") is null ? 0 : 1;
            }

            found += written.DamageAfter(last.Files, last, there => File.Delete(Path.Combine(there, file.Name)), $"without {file.Name}") is null ? 0 : 1;
        }

        Assert.True(found > 20, $"{found} were found");
    }

    private static FileInfo ManifestOf(string files) => Assert.Single(new DirectoryInfo(files).GetFiles("MANIFEST-*"));

    /// <summary>And those that were being written before.</summary>
    private static List<FileInfo> NewFiles(string before, string after) =>
        [.. new DirectoryInfo(after).GetFiles("*.sst").Where(file => new FileInfo(Path.Combine(before, file.Name)) is var then && (!then.Exists || then.Length < file.Length))];

    private static void Cut(FileInfo file, string there, long length, string? name = null)
    {
        var path = Path.Combine(there, name ?? file.Name);
        file.CopyTo(path, overwrite: true);
        using var cut = File.OpenWrite(path);
        cut.SetLength(length);
    }

    private static IEnumerable<long> ManifestLengths(OrderedDirectory.Checkpoint before, string after)
    {
        var (from, to) = (ManifestOf(before.Files), ManifestOf(after));
        Assert.Equal(from.Name, to.Name);
        return Lengths(from.Length, to.Length);
    }

    private static IEnumerable<long> Lengths(long from, long to) =>
        Enumerable.Range(0, 6).Select(step => from + ((to - from) * step / 5)).Concat([from + 1, from + 7, to - 1]).Where(length => length >= from && length <= to).Distinct();

    private IEnumerable<(OrderedDirectory.Checkpoint Before, string After)> Intervals() => written.Checkpoints.Zip(written.Checkpoints.Skip(1).Select(next => next.Files).Append(written.Last));

    private void LoseManifest(OrderedDirectory.Checkpoint before, string after, string there, long length)
    {
        foreach (var file in NewFiles(before.Files, written.Tables))
        {
            Cut(file, there, file.Length);
        }

        Cut(ManifestOf(after), there, length);
    }

    private void AssertIsWhole(OrderedDirectory.Checkpoint checkpoint, Action<string> happens, string context)
    {
        var damage = written.DamageAfter(checkpoint.Files, checkpoint, happens, context);
        Assert.True(damage is null || NamesATableThatWasNotSeen(damage, checkpoint), $"{context}: {damage}");
    }

    /// <summary>One that came and went between two looks, or was written or deleted at the only one, is missing or short here, and was not in the crash.</summary>
    private bool NamesATableThatWasNotSeen(string damage, OrderedDirectory.Checkpoint checkpoint)
    {
        var missing = Regex.Match(damage, @"(\d{6}\.sst): No such file");
        var isShort = Regex.Match(damage, @"Sst file size mismatch between expected (\d+) and file system (\d+) .*?(\d{6}\.sst)", RegexOptions.Singleline);
        var name = missing.Success ? missing.Groups[1].Value : isShort.Groups[3].Value;
        var seen = new FileInfo(Path.Combine(written.Tables, name));
        return missing.Success
            ? !seen.Exists && !File.Exists(Path.Combine(checkpoint.Files, name))
            : isShort.Success && (!seen.Exists || seen.Length < long.Parse(isShort.Groups[1].Value, CultureInfo.InvariantCulture));
    }
}
