using System.Globalization;

namespace Kv.Storage.Tests;

/// <summary>One bit that rots anywhere in RocksDB's files, which are not written by the port: each key is right, or the store is found damaged, and no process ends.</summary>
public sealed class OrderedRotTests(OrderedRotTests.Course course) : IClassFixture<OrderedRotTests.Course>
{
    private readonly OrderedDirectory written = course.Written;

    /// <summary>Written once for all.</summary>
    public sealed class Course : IDisposable
    {
        internal OrderedDirectory Written { get; } = new(checkpoints: 1);

        public void Dispose() => Written.Dispose();
    }

    /// <summary>So many times the places that are looked at.</summary>
    private static int Rounds => int.Parse(Environment.GetEnvironmentVariable("KV_FAULT_ROUNDS") ?? "1", CultureInfo.InvariantCulture);

    /// <param name="pattern">The files.</param>
    /// <param name="ofEnd">Places at the end, one after the other: RocksDB finds all else from there.</param>
    /// <param name="ofRest">Places in the rest, as far from each other.</param>
    /// <param name="isMostlyFound">Whether rot in the rest is to be found for the most part.</param>
    [Theory]
    [InlineData("*.sst", 60, 30, true)]
    [InlineData("MANIFEST-*", 60, 60, true)]
    [InlineData("CURRENT", 16, 0, true)]
    [InlineData("OPTIONS-*", 0, 10, false)]
    [InlineData("IDENTITY", 0, 6, false)]
    public void WhateverRots_EachKeyIsRight_OrTheStoreIsDamaged(string pattern, int ofEnd, int ofRest, bool isMostlyFound)
    {
        var checkpoint = written.Checkpoints[0];
        var file = new DirectoryInfo(checkpoint.Files).GetFiles(pattern).OrderByDescending(file => file.Length).First(file => !isMostlyFound || IsNeeded(file));
        var rest = Math.Max(0, (int)file.Length - ofEnd);
        var atEnd = Enumerable.Repeat(Enumerable.Range(rest, (int)file.Length - rest), Rounds).SelectMany(static places => places);
        var places = atEnd.Concat(Enumerable.Range(0, ofRest * Rounds).Select(at => (int)((long)at * rest / (ofRest * Rounds)))).ToList();
        var random = new Random(pattern.Length);
        var found = 0;
        foreach (var at in places)
        {
            var bit = random.Next(8);
            found += written.DamageAfter(checkpoint.Files, checkpoint, there => Flip(Path.Combine(there, file.Name), at, bit), $"{file.Name} at {at} of {file.Length}, bit {bit}") is null ? 0 : 1;
        }

        Assert.True(!isMostlyFound || found > places.Count / 2, $"{found} of {places.Count} were found");
    }

    /// <summary>A bit or two of it make it one of a kind that RocksDB would read for ever.</summary>
    [Fact]
    public void ARecordOfTheManifest_OfWhateverKind_IsRightOrFound()
    {
        var checkpoint = written.Checkpoints[0];
        var manifest = Assert.Single(new DirectoryInfo(checkpoint.Files).GetFiles("MANIFEST-*")).Name;
        foreach (var at in OrderedManifestRecords.Starts(File.ReadAllBytes(Path.Combine(checkpoint.Files, manifest))))
        {
            foreach (var kind in Enumerable.Range(0, 14).Concat([65, 129, 130, 131, 255]))
            {
                written.DamageAfter(checkpoint.Files, checkpoint, there => Set(Path.Combine(there, manifest), at + 6, (byte)kind), $"{manifest}: kind {kind} of the record at {at}");
            }
        }
    }

    /// <summary>Not one that waits to be deleted.</summary>
    private bool IsNeeded(FileInfo file) =>
        written.DamageAfter(file.DirectoryName!, written.Checkpoints[0], there => File.Delete(Path.Combine(there, file.Name)), $"without {file.Name}") is not null;

    private static void Set(string path, int at, byte value)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[at] = value;
        File.WriteAllBytes(path, bytes);
    }

    private static void Flip(string path, int at, int bit)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[at] ^= (byte)(1 << bit);
        File.WriteAllBytes(path, bytes);
    }
}
