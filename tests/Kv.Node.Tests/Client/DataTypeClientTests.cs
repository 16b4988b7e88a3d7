using System.Numerics;
using System.Text;
using Kv.Client;
using Kv.Core.DataTypes;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Xunit;

namespace Kv.Node.Tests.Client;

/// <summary>Data types by the client package, against three whole nodes over their sockets.</summary>
public sealed class DataTypeClientTests
{
    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EveryDataType_IsChangedAndFetched()
    {
        await using var cluster = await TestCluster.StartAsync(3, None);
        foreach (var kind in new[] { "counter", "set", "gset", "map", "hll" })
        {
            await cluster.ActivateAsync(kind + "s", $$"""{"datatype":"{{kind}}"}""", None);
        }

        await using var client = await KvClusterClient.ConnectAsync(new KvClientOptions { Seeds = [cluster.Nodes[0].Endpoint("grpc")], Timeout = TimeSpan.FromSeconds(20) }, None);
        await CountAsync(client);
        await AddAndRemoveAsync(client);
        await ChangeMapAsync(client);
        await GrowAndObserveAsync(client);
        await RefuseAsync(client);
    }

    private static async Task CountAsync(KvClusterClient client)
    {
        var key = Key("counters", "c");
        var absent = await client.FetchDataTypeAsync(key, cancel: None);
        Assert.Equal((DataTypeKind.Counter, null, true), (absent.Kind, absent.Value, absent.Context.IsEmpty));
        await client.UpdateDataTypeAsync(key, DataTypeChange.Increment(BigInteger.Pow(10, 30)), cancel: None);
        var updated = await client.UpdateDataTypeAsync(key, DataTypeChange.Increment(-8), new() { ReturnBody = true, W = QuorumValue.All, Dw = QuorumValue.One, Pw = QuorumValue.One }, None);
        Assert.Equal(new DataTypeValue.Counter(BigInteger.Pow(10, 30) - 8), updated.Value);
        Assert.Equal(updated.Value, (await client.FetchDataTypeAsync(key, new() { R = QuorumValue.Quorum, Pr = QuorumValue.One, NotFoundOk = true, BasicQuorum = false }, None)).Value);
        var made = await client.UpdateDataTypeAsync(new ObjectKey("counters", "b"u8.ToArray(), default), DataTypeChange.Increment(1), cancel: None);
        Assert.Equal(new DataTypeValue.Counter(1), (await client.FetchDataTypeAsync(new ObjectKey("counters", "b"u8.ToArray(), made.Key), cancel: None)).Value);
    }

    private static async Task AddAndRemoveAsync(KvClusterClient client)
    {
        var key = Key("sets", "s");
        var added = await client.UpdateDataTypeAsync(key, DataTypeChange.Add("b", "a"), new() { ReturnBody = true }, None);
        await client.UpdateDataTypeAsync(key, DataTypeChange.Add("a"), cancel: None);
        await client.UpdateDataTypeAsync(key, DataTypeChange.Remove("a", "b"), new() { Context = added.Context }, None);
        var left = Assert.IsType<DataTypeValue.Set>((await client.FetchDataTypeAsync(key, cancel: None)).Value);
        Assert.Equal(["a"], left.Members.Select(member => Encoding.UTF8.GetString(member.Span)));
        Assert.Equal((true, false), (left.Contains("a"), left.Contains("b")));
    }

    private static async Task ChangeMapAsync(KvClusterClient client)
    {
        var key = Key("maps", "m");
        await client.UpdateDataTypeAsync(
            key,
            DataTypeChange.Map(map => map
                .Increment("visits", 3).Increment("visits", 4).Add("friends", "bob", "eve").Assign("name", "Alice").Enable("paid").Disable("late")
                .Map("address", address => address.Assign("city", "Köln").Assign("raw", new byte[] { 0, 255 }))),
            cancel: None);
        var fetched = await client.FetchDataTypeAsync(key, cancel: None);
        var map = Assert.IsType<DataTypeValue.Map>(fetched.Value);
        Assert.Equal((7, "Alice", true, false, null), ((int)map.CounterOf("visits")!, map.RegisterOf("name")!.Text, map.FlagOf("paid"), map.FlagOf("late"), map.FlagOf("visits")));
        Assert.Equal(("Köln", 255), (map.MapOf("address")!.RegisterOf("city")!.Text, map.MapOf("address")!.RegisterOf("raw")!.Value.Span[1]));
        Assert.True(map.SetOf("friends")!.Contains("eve"));

        var removal = DataTypeChange.Map(change => change.Remove("friends", "bob").RemoveField("visits", DataTypeKind.Counter).Map("address", address => address.RemoveField("city", DataTypeKind.Register)));
        var left = Assert.IsType<DataTypeValue.Map>((await client.UpdateDataTypeAsync(key, removal, new() { Context = fetched.Context, ReturnBody = true }, None)).Value);
        Assert.Equal((null, 1, null), (left.CounterOf("visits"), left.SetOf("friends")!.Members.Length, left.MapOf("address")!.RegisterOf("city")));
    }

    private static async Task GrowAndObserveAsync(KvClusterClient client)
    {
        var grown = await client.UpdateDataTypeAsync(Key("gsets", "g"), DataTypeChange.Grow("b", "a", "b"), new() { ReturnBody = true }, None);
        Assert.Equal(2, Assert.IsType<DataTypeValue.GrowOnlySet>(grown.Value).Members.Length);
        await client.UpdateDataTypeAsync(Key("hlls", "h"), DataTypeChange.Observe("b", "a", "b"), cancel: None);
        var observed = await client.FetchDataTypeAsync(Key("hlls", "h"), cancel: None);
        Assert.Equal((DataTypeKind.HyperLogLog, new DataTypeValue.HyperLogLog(2)), (observed.Kind, observed.Value));
    }

    private static async Task RefuseAsync(KvClusterClient client)
    {
        async Task<KvErrorCode> CodeAsync(ObjectKey key, DataTypeOperation operation) =>
            (await Assert.ThrowsAsync<KvException>(async () => await client.UpdateDataTypeAsync(key, operation, cancel: None))).Code;

        Assert.Equal(KvErrorCode.NotPresent, await CodeAsync(Key("sets", "s"), DataTypeChange.Remove("never")));
        Assert.Equal(KvErrorCode.InvalidRequest, await CodeAsync(Key("sets", "s"), DataTypeChange.Increment(1)));
        Assert.Equal(KvErrorCode.InvalidRequest, await CodeAsync(Key(ObjectKey.DefaultType, "s"), DataTypeChange.Add("a")));
        Assert.Equal(KvErrorCode.UnknownBucketType, await CodeAsync(Key("nowhere", "s"), DataTypeChange.Add("a")));
        var fetch = await Assert.ThrowsAsync<KvException>(async () => await client.FetchDataTypeAsync(Key(ObjectKey.DefaultType, "s"), cancel: None));
        Assert.Equal(KvErrorCode.InvalidRequest, fetch.Code);

        DataTypeOperation Nested(int maps) => maps == 0 ? DataTypeChange.Increment(1) : new DataTypeOperation.ChangeMap([KeyValuePair.Create(new FieldName("m"u8.ToArray(), maps == 1 ? DataTypeKind.Counter : DataTypeKind.Map), Nested(maps - 1))], []);
        await client.UpdateDataTypeAsync(Key("maps", "deep"), Nested(DataTypeOperation.MaxDepth), cancel: None);
        Assert.IsType<DataTypeValue.Map>((await client.FetchDataTypeAsync(Key("maps", "deep"), cancel: None)).Value);
        await Assert.ThrowsAsync<ArgumentException>(async () => await client.UpdateDataTypeAsync(Key("maps", "deep"), Nested(DataTypeOperation.MaxDepth + 1), cancel: None));
    }

    private static ObjectKey Key(string type, string key) => new(type, "b", key);
}
