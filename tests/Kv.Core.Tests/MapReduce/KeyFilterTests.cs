using System.Text;
using Kv.Core.MapReduce;
using Xunit;

namespace Kv.Core.Tests.MapReduce;

/// <summary>Each key filter: a key that passes, and one that does not.</summary>
public sealed class KeyFilterTests
{
    public static TheoryData<string, string, string> Examples => new()
    {
        { """[["string_to_int"],["int_to_string"],["eq","7"]]""", "007", "8" },
        { """[["string_to_float"],["float_to_string"],["eq","1.50000000000000000000e+00"]]""", "1.5", "1" },
        { """[["string_to_float"],["greater_than",1.2]]""", "1.5", "1.1" },
        { """[["to_upper"],["eq","ABC"]]""", "abc", "abd" },
        { """[["to_lower"],["eq","abc"]]""", "ABC", "ABD" },
        { """[["tokenize","-",2],["eq","two"]]""", "one-two-three", "one" },
        { """[["tokenize","-/",3],["string_to_int"],["less_than",10]]""", "a--b/9", "a-b-x" },
        { """[["urldecode"],["eq","a b/c%"]]""", "a+b%2Fc%", "a b/d" },
        { """[["string_to_int"],["greater_than",50]]""", "51", "50" },
        { """[["string_to_int"],["less_than",50]]""", "49", "50" },
        { """[["string_to_int"],["greater_than_eq",50]]""", "50", "49" },
        { """[["string_to_int"],["less_than_eq",50]]""", "50", "51" },
        { """[["string_to_int"],["between",10,20]]""", "20", "21" },
        { """[["string_to_int"],["between",10,20,true]]""", "10", "9" },
        { """[["string_to_int"],["between",10,20,false]]""", "11", "10" },
        { """[["matches","solutions"]]""", "the solutions here", "problems" },
        { """[["matches","^2010-.[0-9]$"]]""", "2010-01", "2010-1" },
        { """[["neq","foo"]]""", "bar", "foo" },
        { """[["eq","foo"]]""", "foo", "bar" },
        { """[["set_member","google","basho",42]]""", "42", "43" },
        { """[["similar_to","newyork",3]]""", "newyokr", "london" },
        { """[["similar_to","newyork",0]]""", "newyork", "newyor" },
        { """[["starts_with","closed"]]""", "closed-1", "open-closed" },
        { """[["ends_with","0603"]]""", "20100603", "06030" },
        { """[["and",[["ends_with","0603"]],[["starts_with","basho"]]]]""", "basho-0603", "google-0603" },
        { """[["or",[["eq","google"]],[["less_than","g"]]]]""", "basho", "hp" },
        { """[["not",[["matches","solution"]]]]""", "problem", "solution" },
        { """[["tokenize","-",1],["and",[["string_to_int"],["greater_than",2]],[["not",[["eq","5"]]]]]]""", "3-x", "5-x" },
        { """[["or",[["string_to_int"],["eq",1]],[["eq","x"]]]]""", "x", "y" },
    };

    public static TheoryData<string, string> Refusals => new()
    {
        { "[]", "key filters are a list of at least one [name, arguments…], and not []" },
        { "\"x\"", "key filters are a list of at least one [name, arguments…], and not \"x\"" },
        { "[5]", "a key filter is a list of its name and its arguments, and not 5" },
        { """[["nosuch",1]]""", "bad_filter: there is no key filter `nosuch`" },
        { """[["sounds_like","x"]]""", "bad_filter: there is no key filter `sounds_like`" },
        { """[["nosuch"],["eq","x"]]""", "bad_filter: there is no key filter `nosuch`" },
        { """[["to_upper"]]""", "key filter `to_upper` only transforms: a test of what it makes has to follow" },
        { """[["eq","a"],["eq","b"]]""", "key filter `eq` is a test and has to be the last: tests are joined by `and` and `or`" },
        { """[["eq"]]""", "key filter `eq` takes a value" },
        { """[["tokenize","-"],["eq","a"]]""", "key filter `tokenize` takes separators and the number of a word, from 1 on" },
        { """[["tokenize","-",0],["eq","a"]]""", "key filter `tokenize` takes separators and the number of a word, from 1 on" },
        { """[["between",1]]""", "key filter `between` takes the least and the greatest value, and true or false for whether these count" },
        { """[["matches","("]]""", "key filter `matches` takes a regular expression without look-around and back references, and not \"(\"" },
        { """[["matches"]]""", "key filter `matches` takes a regular expression without look-around and back references, and not undefined" },
        { """[["similar_to","x",-1]]""", "key filter `similar_to` takes a text of up to 1024 bytes and a distance of up to 1024" },
        { """[["and"]]""", "key filter `and` takes lists of filters" },
        { """[["not",[["eq","a"]],[["eq","b"]]]]""", "key filter `not` takes one list of filters" },
        { """[["or",[["nosuch"]]]]""", "bad_filter: there is no key filter `nosuch`" },
    };

    [Theory]
    [MemberData(nameof(Examples))]
    public void OneKeyPasses_AndOneDoesNot(string filter, string passes, string doesNot)
    {
        Assert.True(KeyFilter.TryCreate(Terms.Json(filter), out var chain, out var problem), problem);
        Assert.True(chain.Passes(Encoding.UTF8.GetBytes(passes)), $"{filter} {passes}");
        Assert.False(chain.Passes(Encoding.UTF8.GetBytes(doesNot)), $"{filter} {doesNot}");
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public void WhatMakesNoSense_IsNamed(string filter, string problem)
    {
        Assert.False(KeyFilter.TryCreate(Terms.Json(filter), out _, out var told));
        Assert.Equal(problem, told);
    }

    [Theory]
    [InlineData("""[["string_to_int"],["neq",1]]""")]
    [InlineData("""[["not",[["string_to_int"],["eq",1]]]]""")]
    [InlineData("""[["and",[["string_to_int"],["neq",1]]]]""")]
    public void AKeyThatAStepCanMakeNothingOf_DoesNotPass(string filter)
    {
        Assert.True(KeyFilter.TryCreate(Terms.Json(filter), out var chain, out _));
        Assert.True(chain.Passes("2"u8.ToArray()));
        Assert.False(chain.Passes("letters"u8.ToArray()));
        Assert.False(chain.Passes(new byte[] { 0xFF }));
    }

    [Fact]
    public void TooManyFilters_AreRefused()
    {
        var steps = string.Join(',', Enumerable.Repeat("[\"to_upper\"]", KeyFilter.MaxSteps));
        Assert.False(KeyFilter.TryCreate(Terms.Json($"[{steps},[\"eq\",\"A\"]]"), out _, out var problem));
        Assert.Equal("there are more than 1000 key filters", problem);
    }

    [Fact]
    public void WhatAllOfThemCostForAKey_IsBounded()
    {
        AssertMost("[[\"matches\",\"a\"]]", KeyFilter.MaxPatterns, "there are more than 8 key filters `matches`: a pattern can say several with |");
        AssertMost($"[[\"similar_to\",\"{new string('x', 1024)}\",3]]", KeyFilter.MaxSimilarBytes / 1024, "the texts of key filters `similar_to` have more than 4096 bytes together");
    }

    private static void AssertMost(string chain, int most, string refusal)
    {
        Assert.True(KeyFilter.TryCreate(Terms.Json($"[[\"and\",{string.Join(',', Enumerable.Repeat(chain, most))}]]"), out _, out var problem), problem);
        Assert.False(KeyFilter.TryCreate(Terms.Json($"[[\"and\",{string.Join(',', Enumerable.Repeat(chain, most))},[[\"not\",{chain}]]]]"), out _, out problem));
        Assert.Equal(refusal, problem);
    }
}
