using Google.Protobuf;
using Kv.Protos.Kv.V1;

namespace Kv.Kubectl.Commands;

/// <summary>Words of a command line as changes of a map: see <see cref="MapCommand"/>. Each is a change of its own.</summary>
internal static class MapWords
{
    private const string InMap = "_map.";
    private const int MostMaps = 45;

    private static readonly (string Suffix, DataTypeKind Kind)[] Kinds =
    [
        ("_counter", DataTypeKind.Counter), ("_set", DataTypeKind.Set), ("_register", DataTypeKind.Register), ("_flag", DataTypeKind.Flag), ("_map", DataTypeKind.Map),
    ];

    /// <summary>FIELD=VALUE, FIELD+=VALUE, FIELD-=VALUE.</summary>
    public static MapChange Change(string word)
    {
        var at = word.IndexOf('=', StringComparison.Ordinal);
        if (at <= 0)
        {
            throw CliException.Usage($"`{word}` is no change: FIELD=VALUE, FIELD+=VALUE or FIELD-=VALUE");
        }

        var sign = word[at - 1] is '+' or '-' ? word[at - 1] : '=';
        var (maps, name, kind) = Field(sign == '=' ? word[..at] : word[..(at - 1)]);
        var operation = Operation(word, kind, sign, word[(at + 1)..]);
        operation.Field = name;
        return Within(maps, new MapChange { Updates = { operation } });
    }

    /// <summary>FIELD.</summary>
    public static MapChange Removal(string word)
    {
        var (maps, name, kind) = Field(word);
        return Within(maps, new MapChange { Removes = { new FieldName { Name = name, Kind = kind } } });
    }

    private static DataTypeOperation Operation(string word, DataTypeKind kind, char sign, string value) => (kind, sign) switch
    {
        (DataTypeKind.Counter, '+' or '-') => new() { Increment = Amount(word, sign, value) },
        (DataTypeKind.Set, '+') => new() { Set = new() { Adds = { ByteString.CopyFromUtf8(value) } } },
        (DataTypeKind.Set, '-') => new() { Set = new() { Removes = { ByteString.CopyFromUtf8(value) } } },
        (DataTypeKind.Register, '=') => new() { Assign = ByteString.CopyFromUtf8(value) },
        (DataTypeKind.Flag, '=') when value is "true" or "false" => new() { Flag = value == "true" },
        (DataTypeKind.Flag, _) => throw CliException.Usage($"`{word}`: a flag is =true or =false"),
        (DataTypeKind.Register, _) => throw CliException.Usage($"`{word}`: a register takes ="),
        (DataTypeKind.Map, _) => throw CliException.Usage($"`{word}`: a map's fields are changed one by one, such as address_map.city_register=Rome"),
        _ => throw CliException.Usage($"`{word}`: a {kind.ToString().ToLowerInvariant()} takes += or -="),
    };

    private static string Amount(string word, char sign, string value)
    {
        var amount = CounterCommand.AmountOf(value) ?? throw CliException.Usage($"`{word}`: a counter takes a whole number");
        return sign == '+' ? amount : amount.StartsWith('-') ? amount[1..] : "-" + amount;
    }

    private static (List<ByteString> Maps, ByteString Name, DataTypeKind Kind) Field(string path)
    {
        var maps = new List<ByteString>();
        var rest = path;
        for (var at = rest.IndexOf(InMap, StringComparison.Ordinal); at > 0; at = rest.IndexOf(InMap, StringComparison.Ordinal))
        {
            maps.Add(ByteString.CopyFromUtf8(rest[..at]));
            rest = rest[(at + InMap.Length)..];
        }

        foreach (var (suffix, kind) in Kinds)
        {
            if (rest.Length > suffix.Length && rest.EndsWith(suffix, StringComparison.Ordinal) && maps.Count < MostMaps)
            {
                return (maps, ByteString.CopyFromUtf8(rest[..^suffix.Length]), kind);
            }
        }

        throw CliException.Usage(maps.Count < MostMaps
            ? $"`{path}` is no field: NAME_counter, NAME_set, NAME_register, NAME_flag or NAME_map"
            : $"`{path}` lies in more than {MostMaps - 1} maps");
    }

    private static MapChange Within(List<ByteString> maps, MapChange change)
    {
        for (var i = maps.Count - 1; i >= 0; i--)
        {
            change = new MapChange { Updates = { new DataTypeOperation { Field = maps[i], Map = change } } };
        }

        return change;
    }
}
