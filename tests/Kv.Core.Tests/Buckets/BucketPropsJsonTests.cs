using System.Text;
using System.Text.Json;
using Kv.Core.Buckets;
using Kv.Core.Quorum;
using Kv.Core.Stores;
using Xunit;

namespace Kv.Core.Tests.Buckets;

public sealed class BucketPropsJsonTests
{
    [Fact]
    public void DefaultProps_AreShownAsRiakShowsThem()
    {
        const string Expected = """
            {"allow_mult":false,"basic_quorum":false,"big_vclock":50,"chash_keyfun":{"mod":"riak_core_util","fun":"chash_std_keyfun"},"delete_mode":3000,
            "durability":"synced","dvv_enabled":false,"last_write_wins":false,"linkfun":{"mod":"riak_kv_wm_link_walker","fun":"mapreduce_linkfun"},"n_val":3,
            "notfound_ok":true,"old_vclock":86400,"postcommit":[],"precommit":[],"r":"quorum","w":"quorum","pr":0,"pw":0,"dw":"quorum","rw":"quorum",
            "node_confirms":0,"small_vclock":50,"stat_tracked":false,"sync_on_write":"backend","young_vclock":20}
            """;
        Assert.Equal(Expected.ReplaceLineEndings(""), Shown(BucketProps.DefaultType));
    }

    [Fact]
    public void EveryProperty_ComesBackAsItWas()
    {
        var props = new BucketProps
        {
            Aae = false,
            NVal = 5,
            R = QuorumValue.One,
            W = QuorumValue.All,
            Pr = QuorumValue.Of(1),
            Pw = QuorumValue.Of(2),
            Dw = QuorumValue.Of(3),
            Rw = QuorumValue.Of(4),
            NodeConfirms = QuorumValue.Of(5),
            AllowMult = true,
            LastWriteWins = true,
            DvvEnabled = true,
            BasicQuorum = true,
            NotFoundOk = false,
            SyncOnWrite = SyncOnWrite.One,
            OldVClockSeconds = 1,
            YoungVClockSeconds = 0,
            BigVClock = 3,
            SmallVClock = 4,
            LinkFun = new ModuleFunction("m", "f"),
            Backend = "b",
            SearchIndex = "i",
            Repl = "false",
            DataType = "hll",
            HllPrecision = 9,
            TtlSeconds = 60,
            Consistent = true,
            WriteOnce = true,
            StatTracked = true,
            DeleteMode = DeleteMode.Immediate,
            Durability = Durability.Memory,
            PreCommit = ["check", "stamp"],
            PostCommit = ["tell"],
        };
        Assert.True(BucketPropsJson.TryRead(JsonDocument.Parse(Shown(props)).RootElement, out var read, out var reason), reason);
        Assert.Equal(props.PreCommit, read.PreCommit);
        Assert.Equal(props.PostCommit, read.PostCommit);
        Assert.Equal(props with { PreCommit = read.PreCommit, PostCommit = read.PostCommit }, read);
    }

    [Theory]
    [InlineData("[]", "properties must be an object")]
    [InlineData("""{"n_val":"x"}""", "n_val: not_integer")]
    [InlineData("""{"\ud800":1}""", "has a name or a text that is not UTF-8")]
    public void WhatIsNoProps_IsRefused(string json, string expected)
    {
        Assert.False(BucketPropsJson.TryRead(JsonDocument.Parse(json).RootElement, out _, out var reason));
        Assert.Equal(expected, reason);
    }

    internal static string Shown(BucketProps props)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            BucketPropsJson.Write(writer, props);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
