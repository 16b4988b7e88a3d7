using Google.Protobuf;
using Kv.Kubectl.Import;
using Kv.Protos.Kv.V1;
using Xunit;

namespace Kv.Operator.Tests.Kubectl.Import;

/// <summary>What an import writes, by what the source has and what is there. Letters are values; a `-` is a deletion.</summary>
public sealed class SiblingPlanTests
{
    private const string Absent = "";
    private const string Deleted = "deleted";

    [Theory]
    [InlineData("a", Absent, "a if absent")]
    [InlineData("ab", Absent, "ab if absent")]
    [InlineData("a", "a", "nothing")]
    [InlineData("ab", "ba", "nothing")]
    [InlineData("ab", "a", "conflict")]
    [InlineData("abc", "b", "conflict")]
    [InlineData("a", "aa", "a instead")]
    [InlineData("ab", "aab", "ab instead")]
    [InlineData("a", "b", "conflict")]
    [InlineData("a", "ab", "conflict")]
    [InlineData("ab", "ac", "conflict")]
    [InlineData("a", "a-", "conflict")]
    [InlineData("a", "-", "conflict")]
    [InlineData("a", Deleted, "conflict")]
    public void WhereSiblingsAreKept(string source, string target, string expected) =>
        Assert.Equal(expected, Word(SiblingPlan.Of(Source(source), Target(target), keepsSiblings: true, overwrites: false, isBegun: false)));

    /// <summary>Values are written in their order: what is there and is not the first of them was not left by an import that was cut off.</summary>
    [Theory]
    [InlineData("ab", "a", "b beside")]
    [InlineData("abc", "ba", "c beside")]
    [InlineData("abc", "b", "conflict")]
    [InlineData("abc", "ac", "conflict")]
    [InlineData("ab", "ac", "conflict")]
    [InlineData("ab", "a-", "conflict")]
    [InlineData("ab", Absent, "ab if absent")]
    public void WhereAnImportWasCutOff(string source, string target, string expected) =>
        Assert.Equal(expected, Word(SiblingPlan.Of(Source(source), Target(target), keepsSiblings: true, overwrites: false, isBegun: true)));

    [Theory]
    [InlineData("a", "b", "a instead")]
    [InlineData("ab", "ac", "ab instead")]
    [InlineData("a", "a-", "a instead")]
    [InlineData("a", Deleted, "a instead of the deletion")]
    [InlineData("ab", "a", "ab instead")]
    [InlineData("a", "a", "nothing")]
    public void WhereConflictsAreOverwritten(string source, string target, string expected) =>
        Assert.Equal(expected, Word(SiblingPlan.Of(Source(source), Target(target), keepsSiblings: true, overwrites: true, isBegun: false)));

    [Theory]
    [InlineData("a", Absent, false, "a if absent")]
    [InlineData("a", "a", false, "nothing")]
    [InlineData("a", "b", true, "a instead")]
    [InlineData("ab", Absent, true, "conflict")]
    [InlineData("ab", "a", false, "conflict")]
    public void WhereOneValueIsKept(string source, string target, bool overwrites, string expected) =>
        Assert.Equal(expected, Word(SiblingPlan.Of(Source(source), Target(target), keepsSiblings: false, overwrites, isBegun: false)));

    [Fact]
    public void Values_AreTheSame_WhateverTheOrderOfTheirPairs_AndTheirTagAndTime()
    {
        var left = new Content { Value = ByteString.CopyFromUtf8("v"), Vtag = "x", LastModifiedMicroseconds = 1, UserMetadata = { Pair("b", "1"), Pair("a", "2") }, Indexes = { Pair("i_int", "2"), Pair("i_int", "1"), Pair("i_int", "1") } };
        var right = new Content { Value = ByteString.CopyFromUtf8("v"), Vtag = "y", UserMetadata = { Pair("a", "2"), Pair("b", "1") }, Indexes = { Pair("i_int", "1"), Pair("i_int", "2") } };
        Assert.Equal(RiakContents.Comparable(left), RiakContents.Comparable(right));
        right.UserMetadata[0].Value = "3";
        Assert.NotEqual(RiakContents.Comparable(left), RiakContents.Comparable(right));
    }

    private static Pair Pair(string name, string value) => new() { Name = name, Value = value };

    private static List<Content> Source(string letters) => [.. letters.Select(Of)];

    private static Content Of(char letter) => new() { Value = ByteString.CopyFromUtf8(letter.ToString()) };

    private static GetResponse Target(string letters) => letters switch
    {
        Absent => new GetResponse(),
        Deleted => new GetResponse { TombstoneContext = ByteString.CopyFromUtf8(Deleted) },
        _ => new GetResponse { Object = new Protos.Kv.V1.Object { Context = ByteString.CopyFromUtf8("seen"), Siblings = { letters.Select((letter, i) => With(letter, i)) } } },
    };

    private static Content With(char letter, int i)
    {
        var content = letter == '-' ? new Content { Tombstone = true } : Of(letter);
        (content.Vtag, content.LastModifiedMicroseconds) = ($"t{i}", i);
        return content;
    }

    private static string Word(SiblingPlan plan) => plan switch
    {
        SiblingPlan.Nothing => "nothing",
        SiblingPlan.Conflict => "conflict",
        SiblingPlan.Write write => string.Concat(write.Contents.Select(content => content.Value.ToStringUtf8())) + (write.MustBeAbsent ? " if absent" : write.Context.ToStringUtf8() switch
        {
            "" => " beside",
            Deleted => " instead of the deletion",
            _ => " instead",
        }),
        _ => "",
    };
}
