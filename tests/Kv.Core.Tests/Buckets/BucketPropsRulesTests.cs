using System.Text.Json;
using Kv.Core.Buckets;
using Kv.Core.Quorum;
using Kv.Core.Stores;
using Xunit;

namespace Kv.Core.Tests.Buckets;

/// <summary>Reference 4.3: every rule with its reason.</summary>
public sealed class BucketPropsRulesTests
{
    private const string HllReason = "must be an integer from 4 to 16, and may only be reduced once set";

    [Theory]
    [InlineData("""{"allow_mult":"maybe"}""", "allow_mult: not_boolean")]
    [InlineData("""{"notfound_ok":null}""", "notfound_ok: not_boolean")]
    [InlineData("""{"basic_quorum":1.5}""", "basic_quorum: not_boolean")]
    [InlineData("""{"n_val":0}""", "n_val: not_integer")]
    [InlineData("""{"n_val":"three"}""", "n_val: not_integer")]
    [InlineData("""{"big_vclock":-1}""", "big_vclock: not_integer")]
    [InlineData("""{"old_vclock":true}""", "old_vclock: not_integer")]
    [InlineData("""{"small_vclock":0}""", "small_vclock: not_integer")]
    [InlineData("""{"r":0}""", "r: not_valid_quorum")]
    [InlineData("""{"w":"most"}""", "w: not_valid_quorum")]
    [InlineData("""{"rw":-1}""", "rw: not_valid_quorum")]
    [InlineData("""{"dw":"default"}""", "dw: not_valid_quorum")]
    [InlineData("""{"pr":[]}""", "pr: not_valid_quorum")]
    [InlineData("""{"r":4}""", "r: must not exceed n_val, which is 3")]
    [InlineData("""{"n_val":1,"pw":2}""", "pw: must not exceed n_val, which is 1")]
    [InlineData("""{"sync_on_write":"some"}""", "sync_on_write: not_valid_sync_param")]
    [InlineData("""{"datatype":"queue"}""", "datatype: queue not supported for bucket datatype property")]
    [InlineData("""{"datatype":"set","allow_mult":false}""", "allow_mult: Data Type buckets must be allow_mult=true")]
    [InlineData("""{"datatype":"set","last_write_wins":true,"dvv_enabled":false}""", "last_write_wins: Data Type buckets must be last_write_wins=false")]
    [InlineData("""{"datatype":"hll","hll_precision":3}""", "hll_precision: " + HllReason)]
    [InlineData("""{"datatype":"hll","hll_precision":17}""", "hll_precision: " + HllReason)]
    [InlineData("""{"write_once":true,"consistent":true}""", "consistent: Write once buckets must not be consistent=true")]
    [InlineData("""{"write_once":true,"datatype":"map"}""", "datatype: Write once buckets must not have datatype defined")]
    [InlineData("""{"last_write_wins":true}""", "dvv_enabled: If last_write_wins is true, dvv_enabled must be false")]
    [InlineData("""{"claimant":"a"}""", "claimant: Cannot update claimant property")]
    [InlineData("""{"active":true}""", "active: Cannot modify active property")]
    [InlineData("""{"nval":3}""", "nval: unknown property")]
    [InlineData("""{"delete_mode":"later"}""", "delete_mode: must be keep, immediate or a delay in milliseconds")]
    [InlineData("""{"durability":"disk"}""", "durability: must be synced, interval or memory")]
    [InlineData("""{"repl":"sometimes"}""", "repl: must be true, false, realtime or fullsync")]
    [InlineData("""{"backend":""}""", "backend: not_valid_name")]
    [InlineData("""{"ttl":-1}""", "ttl: must be a number of seconds, 0 for none")]
    [InlineData("""{"ttl":60,"backend":"ordered"}""", "ttl: objects of a type with a datatype, write_once, consistent or backend ordered cannot expire")]
    [InlineData("""{"ttl":60,"datatype":"set"}""", "ttl: objects of a type with a datatype, write_once, consistent or backend ordered cannot expire")]
    [InlineData("""{"backend":"leveldb"}""", "backend: must be one of faster, ordered, memory")]
    [InlineData("""{"chash_keyfun":{"mod":"m","fun":"f"}}""", "chash_keyfun: riak_core_util:chash_std_keyfun is the only one supported")]
    [InlineData("""{"precommit":[{"mod":"m","fun":"f"}]}""", "precommit: m:f is a function in Erlang, which nodes do not run: a hook is an HTTP callback, {\"name\": …}, that the nodes' setting `hooks` gives an address")]
    [InlineData("""{"postcommit":[{"name":"a"},{"mod":"m"}]}""", "postcommit: m: is a function in Erlang, which nodes do not run: a hook is an HTTP callback, {\"name\": …}, that the nodes' setting `hooks` gives an address")]
    [InlineData("""{"precommit":[{"name":"Validate.json"}]}""", "precommit: Validate.json is no name of a hook, which has 1 to 63 lower-case letters, digits and hyphens")]
    [InlineData("""{"precommit":[{"name":""}]}""", "precommit:  is no name of a hook, which has 1 to 63 lower-case letters, digits and hyphens")]
    [InlineData("""{"precommit":["check"]}""", "precommit: a hook is of the form {\"name\": …}")]
    [InlineData("""{"precommit":[{}]}""", "precommit: a hook is of the form {\"name\": …}")]
    [InlineData("""{"precommit":"check"}""", "precommit: must be a list of hooks, each of the form {\"name\": …}")]
    [InlineData("""{"postcommit":[{"name":"a"},{"name":"a"}]}""", "postcommit: the hook a is there twice")]
    [InlineData("""{"postcommit":[{"name":"a"},{"name":"b"},{"name":"c"},{"name":"d"},{"name":"e"},{"name":"f"},{"name":"g"},{"name":"h"},{"name":"i"}]}""", "postcommit: at most 8 hooks are allowed")]
    [InlineData("""{"precommit":[{"name":"a"}],"write_once":true}""", "precommit: objects of a type with a datatype, write_once or consistent have no commit hooks")]
    [InlineData("""{"postcommit":[{"name":"a"}],"datatype":"set"}""", "postcommit: objects of a type with a datatype, write_once or consistent have no commit hooks")]
    [InlineData("""{"postcommit":[{"name":"a"}],"consistent":true}""", "postcommit: objects of a type with a datatype, write_once or consistent have no commit hooks")]
    [InlineData("""{"linkfun":"f"}""", "linkfun: must be an object of the form {\"mod\": …, \"fun\": …}")]
    [InlineData("[]", "props: must be an object of properties")]
    [InlineData("""{"\ud800":1}""", "props: has a name or a text that is not UTF-8")]
    [InlineData("""{"datatype":"\ud800"}""", "props: has a name or a text that is not UTF-8")]
    public void CreateType_WithABadProperty_SaysWhy(string json, string expected) =>
        Assert.Equal([expected], BucketPropsRules.CreateType(Json(json)).Problems.Select(problem => problem.ToString()));

    [Fact]
    public void Hooks_AreNames_AndCanBeTakenAway()
    {
        var props = BucketPropsRules.CreateType(Json("""{"precommit":[{"name":"check"},{"name":"stamp-2"}],"postcommit":[{"name":"tell"}]}""")).Props!;
        Assert.Equal(["check", "stamp-2"], props.PreCommit);
        Assert.Equal(["tell"], props.PostCommit);
        var bucket = BucketPropsRules.SetBucketInType(props, Json("""{"precommit":[],"postcommit":"none"}""")).Props!;
        Assert.False(bucket.HasCommitHooks);
        Assert.Equal(["check"], BucketPropsRules.SetUntypedBucket(BucketProps.DefaultType, Json("""{"precommit":[{"name":"check"}]}""")).Props!.PreCommit);
    }

    [Theory]
    [InlineData("{}", 2)]
    [InlineData("""{"n_val":5,"r":1,"w":"one"}""", 3)]
    [InlineData("""{"n_val":5,"pw":4}""", 4)]
    [InlineData("""{"pr":"all"}""", 3)]
    [InlineData("""{"rw":3}""", 3)]
    [InlineData("""{"dw":"all","n_val":4}""", 4)]
    [InlineData("""{"n_val":1,"r":"quorum"}""", 1)]
    public void LargestQuorum_IsTheMostThatARequestAsksFor_AndAMajorityAtLeast(string json, int expected) =>
        Assert.Equal(expected, BucketPropsRules.CreateType(Json(json)).Props!.LargestQuorum);

    [Fact]
    public void CreateType_TellsAllProblemsAtOnce() =>
        Assert.Equal(["n_val", "x", "r"], BucketPropsRules.CreateType(Json("""{"n_val":0,"x":1,"r":"all","w":"bad","r":9}""")).Problems.Select(problem => problem.Property).Except(["w"]));

    [Fact]
    public void CreateType_WithNothing_IsANewType() => Assert.Equal(BucketProps.NewType, BucketPropsRules.CreateType(Json("{}")).Props);

    [Fact]
    public void CreateType_CoercesAsRiakDoes()
    {
        var props = BucketPropsRules.CreateType(Json("""
            {"allow_mult":"FALSE","basic_quorum":2,"notfound_ok":0,"n_val":"5","r":"all","w":"2","pr":1,"delete_mode":"250","durability":"interval","name":"b","last_write_wins":false}
            """)).Props!;
        Assert.False(props.AllowMult);
        Assert.True(props.BasicQuorum);
        Assert.False(props.NotFoundOk);
        Assert.Equal((5, QuorumValue.All, QuorumValue.Of(2), QuorumValue.Of(1)), (props.NVal, props.R, props.W, props.Pr));
        Assert.Equal((new DeleteMode(250), Durability.Interval), (props.DeleteMode, props.Durability));
    }

    [Fact]
    public void CreateType_LastWriteWinsWithoutDots_IsValid()
    {
        var props = BucketPropsRules.CreateType(Json("""{"last_write_wins":true,"dvv_enabled":false}""")).Props!;
        Assert.True(props.LastWriteWins && !props.DvvEnabled);
    }

    [Fact]
    public void CreateType_OfHll_HasPrecision14() => Assert.Equal(14, BucketPropsRules.CreateType(Json("""{"datatype":"hll"}""")).Props!.HllPrecision);

    [Theory]
    [InlineData("{}", """{"write_once":true}""", "write_once: Cannot set existing bucket type to `write_once`")]
    [InlineData("""{"write_once":true}""", """{"write_once":false}""", "write_once: Cannot modify write_once property once set to true")]
    [InlineData("{}", """{"consistent":true}""", "consistent: cannot update consistent property")]
    [InlineData("""{"consistent":true}""", """{"consistent":false}""", "consistent: cannot update consistent property")]
    [InlineData("{}", """{"datatype":"set"}""", "datatype: `datatype` must not be defined.")]
    [InlineData("""{"datatype":"map"}""", """{"datatype":"set"}""", "datatype: Cannot update datatype on existing bucket")]
    [InlineData("""{"datatype":"map"}""", """{"allow_mult":false}""", "allow_mult: Data Type buckets must be allow_mult=true")]
    [InlineData("""{"datatype":"map"}""", """{"last_write_wins":true,"dvv_enabled":false}""", "last_write_wins: Data Type buckets must be last_write_wins=false")]
    [InlineData("""{"consistent":true}""", """{"n_val":5}""", "n_val: n_val cannot be modified for existing consistent type")]
    [InlineData("""{"datatype":"hll","hll_precision":10}""", """{"hll_precision":11}""", "hll_precision: " + HllReason)]
    [InlineData("{}", """{"n_val":5}""", "n_val: n_val cannot be modified for existing type")]
    [InlineData("{}", """{"n_val":1}""", "n_val: n_val cannot be modified for existing type")]
    [InlineData("{}", """{"last_write_wins":true}""", "dvv_enabled: If last_write_wins is true, dvv_enabled must be false")]
    [InlineData("""{"backend":"faster"}""", """{"backend":"ordered"}""", "backend: cannot update backend property: its data would be left behind")]
    [InlineData("""{"n_val":2}""", """{"r":3}""", "r: must not exceed n_val, which is 2")]
    public void UpdateType_OfWhatMayNotChange_SaysWhy(string created, string change, string expected)
    {
        var current = BucketPropsRules.CreateType(Json(created)).Props!;
        Assert.Equal([expected], BucketPropsRules.UpdateType(current, Json(change)).Problems.Select(problem => problem.ToString()));
        Assert.Single(BucketPropsRules.SetBucketInType(current, Json(change)).Problems);
    }

    [Theory]
    [InlineData("""{"write_once":true}""", "write_once: cannot update write_once property")]
    [InlineData("""{"consistent":true}""", "consistent: cannot update consistent property")]
    [InlineData("""{"datatype":"counter"}""", "datatype: `datatype` must not be defined.")]
    [InlineData("""{"n_val":2}""", "n_val: n_val cannot be modified for a bucket, which has its type's; use a bucket type with another one")]
    public void UntypedBucket_CannotBecomeWhatOnlyTypesAre(string change, string expected) =>
        Assert.Equal([expected], BucketPropsRules.SetUntypedBucket(BucketProps.DefaultType, Json(change)).Problems.Select(problem => problem.ToString()));

    [Fact]
    public void UpdateType_KeepsWhatIsNotNamed()
    {
        var current = BucketPropsRules.CreateType(Json("""{"n_val":5,"datatype":"hll","hll_precision":10}""")).Props!;
        var next = BucketPropsRules.UpdateType(current, Json("""{"hll_precision":8,"r":"one"}""")).Props;
        Assert.Equal(current with { HllPrecision = 8, R = QuorumValue.One }, next);
        Assert.Empty(BucketPropsRules.CheckImmutable(current, next!));
        Assert.Equal("datatype", Assert.Single(BucketPropsRules.CheckImmutable(current, next! with { DataType = "set" })).Property);
    }

    [Fact]
    public void WhatAClientWasShown_CanBeSentBack()
    {
        var current = BucketPropsRules.CreateType(Json("""{"datatype":"hll","consistent":false,"repl":"realtime","search_index":"i","delete_mode":"keep"}""")).Props!;
        Assert.Equal(current, BucketPropsRules.UpdateType(current, Json(BucketPropsJsonTests.Shown(current))).Props);
    }

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;
}
