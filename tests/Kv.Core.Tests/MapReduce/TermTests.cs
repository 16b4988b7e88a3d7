using System.Text;
using CsCheck;
using Kv.Core.MapReduce;
using Kv.Core.Objects;
using Xunit;

namespace Kv.Core.Tests.MapReduce;

/// <summary>Terms from JSON, and their order.</summary>
public sealed class TermTests
{
    private static readonly Gen<Term> Leaves = Gen.OneOf(
        Gen.Int[-3, 3].Select(number => (Term)Term.Of(number)),
        Gen.OneOf(-1.5, 0.0, 1.0, 2.5, 1e300, -1e300).Select(number => (Term)new Term.Real(number)),
        Gen.OneOf("", "a", "b", "ab").Select(text => Term.Of(text)),
        Gen.OneOf(Term.Null, Term.True, Term.False),
        Gen.OneOf("x", "y").Select(name => (Term)Terms.Address(name)));

    private static readonly Gen<Term> Any = Gen.OneOf(Leaves, Leaves.Array[0, 3].Select(items => Term.Of(items)), Leaves.Select(value => (Term)new Term.Struct([new("a", value)])));

    [Theory]
    [InlineData("{\"a\":[1,-2.5,\"x\",true,false,null,{}]}")]
    [InlineData("12345678901234567890123456789012345678901234567890")]
    [InlineData("1.0")]
    [InlineData("[]")]
    public void Json_IsReadAsItIs(string json) => Assert.Equal(json, Terms.Json(json).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("[1")]
    [InlineData("nope")]
    [InlineData("1 2")]
    [InlineData("1e999")]
    [InlineData("\"\\ud800\"")]
    public void WhatIsNoJson_IsAProblem(string json) => Assert.False(TermJson.TryRead(Encoding.UTF8.GetBytes(json), 1000, out _, out _));

    [Fact]
    public void OtherBytes_DeepNests_LongNumbers_AndTooMuch_AreProblems()
    {
        Assert.False(TermJson.TryRead([(byte)'"', 0xFF, (byte)'"'], 1000, out _, out _));
        Assert.False(TermJson.TryRead(Encoding.UTF8.GetBytes(new string('[', 65) + new string(']', 65)), long.MaxValue, out _, out _));
        Assert.True(TermJson.TryRead(Encoding.UTF8.GetBytes(new string('[', 64) + new string(']', 64)), long.MaxValue, out _, out _));
        Assert.False(TermJson.TryRead(Encoding.UTF8.GetBytes(new string('1', 1001)), long.MaxValue, out _, out _));
        Assert.False(TermJson.TryRead(Encoding.UTF8.GetBytes($"[{string.Join(',', Enumerable.Repeat("{}", 100))}]"), 1000, out _, out var problem));
        Assert.Contains("no room", problem);
    }

    [Fact]
    public void AnyBytes_AreATermOrAProblem() => Gen.OneOf(Gen.Byte.Array[0, 20], Gen.Char["[]{}\",:0.e-\\u "].Array[0, 20].Select(text => Encoding.UTF8.GetBytes(text)))
        .Sample(bytes => TermJson.TryRead(bytes, 1 << 20, out var term, out var problem) ? term is not null : problem.Length > 0, iter: 20_000);

    [Fact]
    public void Terms_HoldNoMoreThanIsThoughtBeforeTheyAreRead() => Gen.OneOf(Gen.Char["[]{}\",:0123.e-\\u "].Array[0, 30].Select(text => Encoding.UTF8.GetBytes(text)), Any.Select(term => Encoding.UTF8.GetBytes($"[{term},{{\"a\\u0041ü\":[{term},\"\\u0041\"]}}]")))
        .Sample(
            bytes =>
            {
                if (TermJson.TryRead(bytes, TermJson.MostBytesOf(bytes), out var term, out var problem))
                {
                    Assert.InRange(term.HeldBytes, 0, TermJson.MostBytesOf(bytes));
                    Assert.False(TermJson.TryRead(bytes, TermJson.MostBytesOf(bytes) - 1, out _, out _));
                }
                else
                {
                    Assert.DoesNotContain("no room", problem);
                }
            },
            iter: 20_000);

    [Theory]
    [InlineData("x", 1_000_000, 1.2)]
    [InlineData("\\u0041\\u00fc", 100_000, 2.1)]
    public void ALongText_IsReadWithoutACopyInUtf16(string piece, int times, double copies)
    {
        var json = Encoding.UTF8.GetBytes($"\"{string.Concat(Enumerable.Repeat(piece, times))}\"");
        Terms.Json("\"a\\u0041\"");
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        Assert.True(TermJson.TryRead(json, long.MaxValue, out _, out _));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, copies * json.Length);
    }

    [Fact]
    public void Numbers_AreComparedByValue_AndToldApart()
    {
        Assert.Equal(0, TermOrder.Instance.Compare(Term.Of(1), new Term.Real(1)));
        Assert.NotEqual(Term.Of(1), new Term.Real(1));
        Assert.True(TermOrder.Instance.Compare(Terms.Json("9007199254740993"), new Term.Real(9007199254740992)) > 0);
        Assert.True(TermOrder.Instance.Compare(Terms.Json("-2"), new Term.Real(-1.5)) < 0);
    }

    [Fact]
    public void TheOrder_IsTotal() => Gen.Select(Any, Any, Any).Sample((a, b, c) =>
    {
        var (ab, bc, ac) = (Order(a, b), Order(b, c), Order(a, c));
        Assert.Equal(ab, -Order(b, a));
        Assert.True(ab != bc || ab == 0 || ac == ab, $"{a} {b} {c}");
        Assert.True(ab != 0 || ac == bc, $"{a} {b} {c}");
    }, iter: 20_000);

    [Fact]
    public void WhatIsEqual_HasOneHash_AndOnePlace() => Gen.Select(Any, Any).Sample((a, b) => !a.Equals(b) || (a.GetHashCode() == b.GetHashCode() && Order(a, b) == 0), iter: 20_000);

    [Fact]
    public void LongTerms_AreShownCutShort() => Assert.InRange(Term.Of(Enumerable.Repeat(Term.Of(new string('x', 1000)), 1000)).ToString().Length, 100, 500);

    /// <summary>A name of 199 letters and one that has two UTF-16 units: the cut would part them.</summary>
    [Fact]
    public void ALongName_IsNotCutWithinALetter()
    {
        var name = new string('a', 199) + "😀😀";
        Assert.Equal(new string('a', 199) + "…", TermText.Shown(name));
        Assert.StartsWith("{\"aaa", new Term.Struct([new(name, Term.Of(1))]).ToString(), StringComparison.Ordinal);
        Assert.All(Enumerable.Range(0, 300), letters => Assert.DoesNotContain('\uFFFD', Written(new Term.Atom(new string('a', letters) + "😀"))));
        Assert.All(Enumerable.Range(0, 300), letters => Assert.DoesNotContain('\uFFFD', Written(new Term.Address(new ObjectKey(new string('a', letters) + "😀", "b", "k"), null))));
    }

    [Fact]
    public void InputsOfOneName_AreToldApartByTheHashOfTheirKeyData()
    {
        Assert.InRange(Enumerable.Range(0, 1000).Select(number => Terms.Address("k", $"{number}").GetHashCode()).Distinct().Count(), 990, 1000);
        Assert.InRange(Enumerable.Range(0, 1000).Select(number => new Term.Missing(Terms.Key("k"), Term.Of(number)).GetHashCode()).Distinct().Count(), 990, 1000);
    }

    private static string Written(Term term) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(term.ToString()));

    private static int Order(Term left, Term right) => Math.Sign(TermOrder.Instance.Compare(left, right));
}
