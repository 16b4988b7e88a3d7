using Google.Protobuf;
using Kv.Kubectl;
using Kv.Kubectl.Import;
using Xunit;
using static Kv.Operator.Tests.Kubectl.Import.LiveNode;

namespace Kv.Operator.Tests.Kubectl.Import;

/// <summary>What an import's state says of a bucket after it was opened again.</summary>
public sealed class ImportStateTests : IDisposable
{
    private static readonly BucketId Users = new("default", Bytes("users"));
    private static readonly BucketId Carts = new("carts", ByteString.CopyFrom(0, 255));

    private static readonly DateTimeOffset Then = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly StateDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task GoesOn_WhereItsLastChunkEnded()
    {
        using (var state = Open())
        {
            var (keys, list) = await FillAsync(state, "a", "bb", "ccc");
            state.Listed(Users, keys, list, Then);
            Assert.Equal(["a", "bb", "ccc"], Texts(state.Keys.Read(KeySpool.Start).Keys));
            state.At(Users, KeySpool.Start + 5, Tally(KeyFate.Copied));
        }

        using var opened = Open();
        var (count, listed, offset, tally) = opened.Of(Users)!.Value;
        Assert.Equal((3, Then, 1), (count, listed, tally[KeyFate.Copied]));
        Assert.Equal(["bb", "ccc"], Texts(opened.Keys.Read(offset).Keys));
        Assert.Null(opened.Of(Carts));
        Assert.Null(opened.OfDone(Users));
    }

    [Fact]
    public async Task ListOfAnotherBucket_IsNotTakenForItsOwn()
    {
        using (var state = Open())
        {
            var (keys, list) = await FillAsync(state, "a", "b");
            state.Listed(Users, keys, list, Then);
        }

        // Cut off in the midst of the listing: no line says that the file is another list.
        using (var state = Open())
        {
            Assert.NotNull(state.Of(Users));
            await FillAsync(state, "x", "y");
            Assert.Null(state.Of(Users));
        }

        using var opened = Open();
        Assert.Null(opened.Of(Users));
    }

    [Fact]
    public async Task KeyThatWasListedTwice_IsNotCopiedTwiceAtOnce()
    {
        using var state = Open();
        await FillAsync(state, "a", "b", "a");
        Assert.Equal(["a", "b"], Texts(state.Keys.Read(KeySpool.Start).Keys));
    }

    [Fact]
    public async Task KeysThatFailed_AreTriedAgain_WithAListAnew()
    {
        using (var state = Open())
        {
            var (keys, list) = await FillAsync(state, "a");
            state.Listed(Users, keys, list, Then);
            state.At(Users, KeySpool.Start + 5, Tally(KeyFate.Failed));
        }

        using var opened = Open();
        Assert.Null(opened.Of(Users));
    }

    [Fact]
    public void BucketThatIsDone_KeepsItsTally()
    {
        using (var state = Open())
        {
            state.Done(Carts, Tally(KeyFate.Conflict), Then);
        }

        using var opened = Open();
        Assert.Equal((1, Then), (opened.OfDone(Carts)!.Value.Tally[KeyFate.Conflict], opened.OfDone(Carts)!.Value.Listed));
        Assert.Null(opened.OfDone(Users));
    }

    [Fact]
    public void KeyThatWasBegun_IsKnown_UntilItsBucketIsDone()
    {
        using (var state = Open())
        {
            state.Begun(Carts, Bytes("k"));
            state.Begun(Users, Bytes("k"));
            state.Done(Users, Tally(KeyFate.Copied), Then);
        }

        using var opened = Open();
        Assert.Equal((true, false, false), (opened.IsBegun(Carts, Bytes("k")), opened.IsBegun(Carts, Bytes("l")), opened.IsBegun(Users, Bytes("k"))));
    }

    [Fact]
    public void BeginningAfresh_ForgetsAll_OfAnotherImportToo()
    {
        using (var state = Open())
        {
            state.Done(Carts, Tally(KeyFate.Copied), Then);
        }

        using var afresh = ImportState.Open(directory.Path, ["c:1"], "other", overwrites: true, isAfresh: true);
        Assert.Equal((null, false), (afresh.OfDone(Carts), afresh.GoesOn));
    }

    [Fact]
    public void TwoImportsAtOnce_AreRefused_AndOneByAnotherRule()
    {
        using (Open())
        {
            Assert.Contains("cannot be used", Assert.Throws<CliException>(() => Open()).Message, StringComparison.Ordinal);
        }

        Assert.Contains("is of another import", Assert.Throws<CliException>(() => Open(overwrites: true)).Message, StringComparison.Ordinal);
    }

    private ImportState Open(bool overwrites = false) => ImportState.Open(directory.Path, ["b:1", "a:1"], "test", overwrites);

    private static Task<(long Keys, Guid Id)> FillAsync(ImportState state, params string[] keys) => state.Keys.FillAsync(take =>
    {
        take(keys.Select(Bytes));
        return Task.CompletedTask;
    });

    private static ImportTally Tally(KeyFate fate)
    {
        var tally = new ImportTally();
        tally.Add(fate);
        return tally;
    }

    private static string[] Texts(IEnumerable<ByteString> keys) => [.. keys.Select(key => key.ToStringUtf8())];
}
