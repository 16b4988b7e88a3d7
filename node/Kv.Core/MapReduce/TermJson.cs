using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Kv.Core.MapReduce;

/// <summary>JSON → term, of a job or of an object's value. What the terms may hold is bounded: a few letters of JSON become many times their bytes.</summary>
public static class TermJson
{
    /// <summary>Arrays and objects within each other.</summary>
    public const int MaxDepth = 64;

    /// <summary>False with what is wrong, for what is no JSON, or would hold more than <paramref name="mostBytes"/>.</summary>
    public static bool TryRead(ReadOnlySpan<byte> json, long mostBytes, [NotNullWhen(true)] out Term? term, [NotNullWhen(false)] out string? problem)
    {
        (term, problem) = (null, null);
        if (!Utf8.IsValid(json))
        {
            problem = "it is not UTF-8";
            return false;
        }

        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
            reader.Read();
            var left = mostBytes;
            term = Read(ref reader, ref left);

            // Whatever but white space follows is told by the reader.
            reader.Read();
            return true;
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException)
        {
            // The latter for the escape of half a surrogate pair.
            problem = wrong.Message;
            return false;
        }
    }

    /// <summary>What terms of that JSON hold at most: a pass over its tokens, which ends where it is none.</summary>
    public static long MostBytesOf(ReadOnlySpan<byte> json)
    {
        var bytes = 0L;
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
            while (reader.Read())
            {
                bytes += MostBytesOf(ref reader);
            }
        }
        catch (JsonException)
        {
            // What is no JSON becomes no more than what was read of it.
        }

        return bytes;
    }

    /// <summary>Of one token. An item of a list has its place there; a member's name is a string of UTF-16.</summary>
    private static long MostBytesOf(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.StartArray or JsonTokenType.StartObject => PlaceBytes + EmptyBytes,
        JsonTokenType.PropertyName => EmptyBytes + (2L * reader.ValueSpan.Length),
        JsonTokenType.String or JsonTokenType.Number => PlaceBytes + EmptyBytes + reader.ValueSpan.Length,
        JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null => PlaceBytes,
        _ => 0,
    };

    private static Term Read(ref Utf8JsonReader reader, ref long left)
    {
        Take(ref left, MostBytesOf(ref reader));
        return reader.TokenType switch
        {
            JsonTokenType.StartArray => ReadArray(ref reader, ref left),
            JsonTokenType.StartObject => ReadObject(ref reader, ref left),
            JsonTokenType.String => ReadText(ref reader),
            JsonTokenType.Number => ReadNumber(ref reader),
            JsonTokenType.True => Term.True,
            JsonTokenType.False => Term.False,
            _ => Term.Null,
        };
    }

    private static Term.List ReadArray(ref Utf8JsonReader reader, ref long left)
    {
        var items = ImmutableArray.CreateBuilder<Term>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            items.Add(Read(ref reader, ref left));
        }

        return new Term.List(items.DrainToImmutable());
    }

    private static Term.Struct ReadObject(ref Utf8JsonReader reader, ref long left)
    {
        var members = ImmutableArray.CreateBuilder<KeyValuePair<string, Term>>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            Take(ref left, MostBytesOf(ref reader));
            var name = reader.GetString()!;
            reader.Read();
            members.Add(new(name, Read(ref reader, ref left)));
        }

        return new Term.Struct(members.DrainToImmutable());
    }

    /// <summary>From UTF-8 to UTF-8: a string between them would take twice its bytes.</summary>
    private static Term.Binary ReadText(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
        {
            return new Term.Binary(reader.ValueSpan.ToArray());
        }

        var text = new byte[reader.ValueSpan.Length];
        var length = reader.CopyString(text);
        return new Term.Binary(text.AsSpan(0, length).ToArray());
    }

    private static Term ReadNumber(ref Utf8JsonReader reader)
    {
        if (reader.TryGetInt64(out var small))
        {
            return Term.Of(small);
        }

        var text = Encoding.ASCII.GetString(reader.ValueSpan);
        if (text.AsSpan().ContainsAny('.', 'e', 'E'))
        {
            return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real)
                ? new Term.Real(real)
                : throw new JsonException($"the number {TermText.Shown(text)} is too large");
        }

        return NumberText.Integer(text) is { } large ? Term.Of(large) : throw new JsonException($"a number has more than {NumberText.MaxDigits} digits");
    }

    /// <summary>Of an item in a list.</summary>
    private const int PlaceBytes = 8;

    /// <summary>Of a list or an object of nothing, and of anything else beside its content.</summary>
    private static long EmptyBytes { get; } = new Term.List([]).HeldBytes;

    private static void Take(ref long left, long bytes)
    {
        left -= bytes;
        if (left < 0)
        {
            throw new JsonException("there is no room for what becomes of it");
        }
    }
}
