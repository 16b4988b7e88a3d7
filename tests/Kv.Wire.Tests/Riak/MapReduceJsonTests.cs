using System.Buffers;
using System.Numerics;
using System.Text;
using System.Text.Json;
using CsCheck;
using Kv.Core.MapReduce;
using Kv.Core.Objects;
using Kv.Wire.Riak;
using Kv.Wire.Riak.Http;
using Xunit;

namespace Kv.Wire.Tests.Riak;

/// <summary>What room is taken for results before they are written.</summary>
public sealed class MapReduceJsonTests
{
    private static readonly Gen<string> Texts = Gen.OneOf("a", "\0", "\u001F", "\u007F", "\"", "\\", "ü", "\u2028", "\uFEFF", "\uE000", "漢", "😀").Array[0, 50].Select(pieces => string.Concat(pieces));

    private static readonly Gen<ObjectKey> Keys = Gen.Select(Texts, Gen.OneOf(Texts.Select(text => Encoding.UTF8.GetBytes(text)), Gen.Byte.Array[0, 50]))
        .Select((bucketType, key) => new ObjectKey(bucketType, Encoding.UTF8.GetBytes(bucketType), key));

    private static readonly Gen<Term> Leaves = Gen.OneOf(
        Gen.Int[0, 1000].Select(digits => Term.Of(-BigInteger.Pow(10, digits))),
        Gen.Double.Where(double.IsFinite).Select(real => (Term)new Term.Real(real)),
        Texts.Select(text => Term.Of(text)),
        Gen.OneOf(Term.Undefined, Term.Null, Term.True, Term.False));

    private static readonly Gen<Term> Any = Gen.OneOf(
        Leaves,
        Leaves.Array[0, 3].Select(items => Term.Of(items)),
        Gen.Select(Texts, Leaves).Array[0, 3].Select(members => (Term)new Term.Struct([.. members.Select(member => KeyValuePair.Create(member.Item1, member.Item2))])),
        Gen.Select(Keys, Leaves).Select((key, keyData) => (Term)new Term.Address(key, keyData)),
        Gen.Select(Keys, Leaves).Select((key, keyData) => (Term)new Term.Missing(key, keyData)));

    /// <summary>They come by themselves alone, from one function.</summary>
    private static readonly Gen<Term> Pairs = Gen.Select(Texts, Leaves).Select((name, value) => (Term)new Term.Pair(name, value));

    [Fact]
    public void Results_TakeNoMoreThanWasThought() => Gen.OneOf(Any.Array[1, 20], Pairs.Array[1, 20]).Sample(
        terms =>
        {
            var buffer = new ArrayBufferWriter<byte>();
            using (var json = new Utf8JsonWriter(buffer, PlainJson.Writer))
            {
                MapReduceJson.WriteList(json, terms, phase: 0);
            }

            Assert.InRange(buffer.WrittenCount, 2, MapReduceJson.BytesOf(terms) + 2);
        },
        iter: 5000);
}
