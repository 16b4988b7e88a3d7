using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Kv.Cluster;
using Kv.Core.Causality;
using Kv.Core.MapReduce;
using Kv.Core.Objects;
using Kv.Wire.Riak.Http;

namespace Kv.Wire.Riak;

/// <summary>Results of MapReduce jobs as JSON (riak_kv_mapred_json, riak_object_json): both front ends send the same.</summary>
internal static class MapReduceJson
{
    /// <summary>Longer strings are written in pieces of so many bytes, so that none is held escaped beside the buffer.</summary>
    private const int PieceBytes = 16 * 1024;

    private static readonly JavaScriptEncoder Escapes = PlainJson.Writer.Encoder!;

    /// <summary>Bytes that terms have as JSON at most, give or take the marks between them.</summary>
    public static long BytesOf(IReadOnlyList<Term> terms) => terms.Sum(BytesOf);

    /// <summary>Whether a list of results is written as an object: a list of properties is, as in Riak.</summary>
    public static bool IsObject(IReadOnlyList<Term> terms) => terms is [Term.Pair, ..];

    /// <summary>A phase's results: an array, or an object (<see cref="IsObject"/>).</summary>
    /// <exception cref="MapReduceFailedException">One of them has bytes that JSON cannot carry.</exception>
    public static void WriteList(Utf8JsonWriter json, IReadOnlyList<Term> terms, int phase)
    {
        Begin(json, IsObject(terms));
        WriteItems(json, terms, IsObject(terms), phase);
        End(json, IsObject(terms));
    }

    public static void Begin(Utf8JsonWriter json, bool isObject)
    {
        if (isObject)
        {
            json.WriteStartObject();
        }
        else
        {
            json.WriteStartArray();
        }
    }

    public static void End(Utf8JsonWriter json, bool isObject)
    {
        if (isObject)
        {
            json.WriteEndObject();
        }
        else
        {
            json.WriteEndArray();
        }
    }

    /// <summary>What stands in the array, or the object, which takes properties alone.</summary>
    /// <exception cref="MapReduceFailedException">As of <see cref="WriteList"/>.</exception>
    public static void WriteItems(Utf8JsonWriter json, IReadOnlyList<Term> terms, bool isObject, int phase)
    {
        foreach (var term in terms)
        {
            if (isObject && term is Term.Pair pair)
            {
                json.WritePropertyName(pair.Name);
                Write(json, pair.Value, phase);
            }
            else
            {
                Write(json, term, phase);
            }
        }
    }

    private static void Write(Utf8JsonWriter json, Term term, int phase)
    {
        switch (term)
        {
            case Term.Atom { Name: "true" or "false" or "null" } atom:
                json.WriteRawValue(atom.Name, skipInputValidation: true);
                break;
            case Term.Atom atom:
                json.WriteStringValue(atom.Name);
                break;
            case Term.Integer integer:
                json.WriteRawValue(integer.Value.ToString(CultureInfo.InvariantCulture), skipInputValidation: true);
                break;
            case Term.Real real:
                json.WriteRawValue(NumberText.Of(real.Value), skipInputValidation: true);
                break;
            case Term.Binary text:
                WriteText(json, text.Bytes.Span, term, phase);
                break;
            case Term.List list:
                WriteList(json, list.Items, phase);
                break;
            case Term.Struct members:
                json.WriteStartObject();
                foreach (var (name, value) in members.Members)
                {
                    json.WritePropertyName(name);
                    Write(json, value, phase);
                }

                json.WriteEndObject();
                break;
            case Term.Pair pair:
                WriteList(json, [pair], phase);
                break;
            case Term.Address address:
                WriteAddress(json, address, phase);
                break;
            case Term.Missing missing:
                WriteMissing(json, missing, phase);
                break;
            case Term.Found found:
                WriteObject(json, found, phase);
                break;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    /// <summary>As inputs are written. Names that are not UTF-8 are percent-encoded, as in listings.</summary>
    private static void WriteAddress(Utf8JsonWriter json, Term.Address address, int phase)
    {
        var isTyped = address.Key.BucketType != ObjectKey.DefaultType;
        json.WriteStartArray();
        json.WriteStringValue(ListedName.Of(address.Key.Bucket.Span));
        json.WriteStringValue(ListedName.Of(address.Key.Key.Span));
        if (isTyped || address.KeyData is not null)
        {
            Write(json, address.KeyData ?? Term.Null, phase);
        }

        if (isTyped)
        {
            json.WriteStringValue(address.Key.BucketType);
        }

        json.WriteEndArray();
    }

    private static void WriteMissing(Utf8JsonWriter json, Term.Missing missing, int phase)
    {
        json.WriteStartObject();
        json.WriteStartObject("not_found");
        ObjectJson.WriteName(json, missing.Key, alwaysTyped: false);
        json.WritePropertyName("keydata");
        Write(json, missing.KeyData ?? Term.Undefined, phase);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteObject(Utf8JsonWriter json, Term.Found found, int phase)
    {
        json.WriteStartObject();
        ObjectJson.WriteName(json, found.Key, alwaysTyped: true);
        json.WriteString("vclock", Convert.ToBase64String(CausalContext.Encode(found.Object.Clock)));
        json.WriteStartArray("values");
        foreach (var sibling in found.Object.Siblings)
        {
            json.WriteStartObject();
            json.WriteStartObject("metadata");
            ObjectJson.WriteMetadata(json, sibling);
            json.WriteEndObject();
            json.WritePropertyName("data");
            WriteText(json, sibling.Value.Span, found, phase);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter json, ReadOnlySpan<byte> bytes, Term of, int phase)
    {
        if (!Utf8.IsValid(bytes))
        {
            throw new MapReduceFailedException(new MapReduceFailure.OfPhase(phase, "a result is not UTF-8 throughout, which JSON cannot carry", of.ToString()));
        }

        for (; bytes.Length > PieceBytes; bytes = bytes[PieceBytes..])
        {
            json.WriteStringValueSegment(bytes[..PieceBytes], isFinalSegment: false);
        }

        json.WriteStringValueSegment(bytes, isFinalSegment: true);
    }

    private static long BytesOf(Term term) => term switch
    {
        Term.Binary text => BytesOf(text.Bytes.Span),
        Term.List list => list.Items.Sum(BytesOf) + 3,
        Term.Struct members => members.Members.Sum(member => BytesOf(member.Key) + BytesOf(member.Value)) + 3,
        Term.Pair pair => BytesOf(pair.Name) + BytesOf(pair.Value) + 3,
        Term.Address address => BytesOf(address.Key, address.KeyData),
        Term.Missing missing => BytesOf(missing.Key, missing.KeyData),
        Term.Found found => found.HeldBytes + found.Object.Siblings.Sum(sibling => BytesOf(sibling.Value.Span)),

        // A byte has 2.41 digits.
        Term.Integer integer => (integer.Value.GetByteCount() * 5L / 2) + 4,
        _ => 32,
    };

    private static long BytesOf(ObjectKey key, Term? keyData) => 96 + BytesOf(key.BucketType) + BytesOfName(key.Bucket.Span) + BytesOfName(key.Key.Span) + (keyData is null ? 0 : BytesOf(keyData));

    private static long BytesOfName(ReadOnlySpan<byte> name) => Utf8.IsValid(name) ? BytesOf(name) : (3L * name.Length) + 4;

    private static long BytesOf(string text) => BytesOf(Encoding.UTF8.GetBytes(text));

    /// <summary>With quotes and what parts it from the next. Of what has to be escaped a mark takes two bytes, anything else six for each of its UTF-16 units at most.</summary>
    private static long BytesOf(ReadOnlySpan<byte> text)
    {
        var bytes = text.Length + 4L;
        for (var at = Escapes.FindFirstCharacterToEncodeUtf8(text); at >= 0; at = Escapes.FindFirstCharacterToEncodeUtf8(text))
        {
            Rune.DecodeFromUtf8(text[at..], out var letter, out var length);
            bytes += letter.Value is '"' or '\\' ? 1 : (6 * letter.Utf16SequenceLength) - length;
            text = text[(at + length)..];
        }

        return bytes;
    }
}
