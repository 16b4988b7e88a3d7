using System.Collections.Immutable;
using System.Numerics;
using System.Text;
using Kv.Core.Objects;

namespace Kv.Core.MapReduce;

/// <summary>
/// What flows between the phases of a MapReduce job: the values of JSON, told apart as Erlang tells them apart (an integer is no float), and what a job's own steps put in. Equal means of the
/// same kind and content (Erlang's `=:=`); for the order see <see cref="TermOrder"/>. Immutable.
/// </summary>
public abstract class Term : IEquatable<Term>
{
    /// <summary>What a term takes of memory beside its content.</summary>
    private const int OwnBytes = 64;

    private Term()
    {
    }

    public static Term Null { get; } = new Atom("null");

    public static Term True { get; } = new Atom("true");

    public static Term False { get; } = new Atom("false");

    /// <summary>Stands where an input has no key data.</summary>
    public static Term Undefined { get; } = new Atom("undefined");

    /// <summary>Of the term with all that it holds, roughly.</summary>
    public abstract long HeldBytes { get; }

    public static Term Of(bool value) => value ? True : False;

    public static Term Of(BigInteger value) => new Integer(value);

    public static Term Of(string text) => new Binary(Encoding.UTF8.GetBytes(text));

    public static Term Of(IEnumerable<Term> items) => new List([.. items]);

    /// <summary>True, false, null or undefined.</summary>
    public sealed class Atom(string name) : Term
    {
        public string Name { get; } = name;

        public override long HeldBytes => 0;
    }

    public sealed class Integer(BigInteger value) : Term
    {
        public BigInteger Value { get; } = value;

        public override long HeldBytes => OwnBytes + Value.GetByteCount();
    }

    /// <summary>A finite number that was written with a point or an exponent.</summary>
    public sealed class Real(double value) : Term
    {
        public double Value { get; } = value;

        public override long HeldBytes => OwnBytes;
    }

    /// <summary>A JSON string, or an object's value, which may be any bytes.</summary>
    public sealed class Binary(ReadOnlyMemory<byte> bytes) : Term
    {
        public ReadOnlyMemory<byte> Bytes { get; } = bytes;

        public override long HeldBytes => OwnBytes + Bytes.Length;
    }

    public sealed class List(ImmutableArray<Term> items) : Term
    {
        public ImmutableArray<Term> Items { get; } = items;

        public override long HeldBytes { get; } = OwnBytes + items.Sum(item => 8 + item.HeldBytes);
    }

    /// <summary>A JSON object; of members of one name the first counts.</summary>
    public sealed class Struct(ImmutableArray<KeyValuePair<string, Term>> members) : Term
    {
        public ImmutableArray<KeyValuePair<string, Term>> Members { get; } = members;

        public override long HeldBytes { get; } = OwnBytes + members.Sum(member => OwnBytes + (2 * member.Key.Length) + member.Value.HeldBytes);

        /// <summary>Null where there is none of that name.</summary>
        public Term? this[string name]
        {
            get
            {
                foreach (var (key, value) in Members)
                {
                    if (key == name)
                    {
                        return value;
                    }
                }

                return null;
            }
        }
    }

    /// <summary>A property with its value, as `reduce_plist_sum` gives them; a list of them is written as a JSON object.</summary>
    public sealed class Pair(string name, Term value) : Term
    {
        public string Name { get; } = name;

        public Term Value { get; } = value;

        public override long HeldBytes => OwnBytes + (2 * Name.Length) + Value.HeldBytes;
    }

    /// <summary>An input: an object's name, with key data where the client gave some.</summary>
    public sealed class Address(ObjectKey key, Term? keyData) : Term
    {
        public ObjectKey Key { get; } = key;

        public Term? KeyData { get; } = keyData;

        public override long HeldBytes => KeyBytes(Key) + (KeyData?.HeldBytes ?? 0);
    }

    /// <summary>Stands in results for an input whose object is not there.</summary>
    public sealed class Missing(ObjectKey key, Term? keyData) : Term
    {
        public ObjectKey Key { get; } = key;

        public Term? KeyData { get; } = keyData;

        public override long HeldBytes => KeyBytes(Key) + (KeyData?.HeldBytes ?? 0);
    }

    /// <summary>A whole object with all its siblings, as `map_identity` gives it.</summary>
    public sealed class Found(ObjectKey key, KvObject value) : Term
    {
        public ObjectKey Key { get; } = key;

        public KvObject Object { get; } = value;

        public override long HeldBytes { get; } = KeyBytes(key) + value.Siblings.Sum(sibling => (long)sibling.Value.Length) + ObjectCodec.EncodeHead(value).Length;
    }

    public bool Equals(Term? other) => other is not null && TermOrder.AreSame(this, other);

    public override bool Equals(object? obj) => Equals(obj as Term);

    public override int GetHashCode() => TermOrder.HashOf(this);

    /// <summary>As an error shows it: JSON, cut short.</summary>
    public override string ToString() => TermText.Of(this);

    private static long KeyBytes(ObjectKey key) => (3 * OwnBytes) + key.Bucket.Length + key.Key.Length;
}
