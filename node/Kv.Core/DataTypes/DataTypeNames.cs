namespace Kv.Core.DataTypes;

/// <summary>The names of data types: in bucket properties and bodies, as suffixes of fields, and as content types of stored objects (reference 5.1).</summary>
public static class DataTypeNames
{
    private const string ContentTypePrefix = "application/riak_";
    private static readonly (DataTypeKind Kind, string Name)[] Names =
    [
        (DataTypeKind.Counter, "counter"),
        (DataTypeKind.Set, "set"),
        (DataTypeKind.Register, "register"),
        (DataTypeKind.Flag, "flag"),
        (DataTypeKind.Map, "map"),
        (DataTypeKind.GSet, "gset"),
        (DataTypeKind.HyperLogLog, "hll"),
    ];

    public static string Of(DataTypeKind kind) => Names.First(known => known.Kind == kind).Name;

    /// <summary>The kind that a bucket type's `datatype` names; null for any other name.</summary>
    public static DataTypeKind? Find(string? name)
    {
        foreach (var known in Names)
        {
            if (known.Name == name)
            {
                return known.Kind;
            }
        }

        return null;
    }

    public static string ContentTypeOf(DataTypeKind kind) => ContentTypePrefix + Of(kind);
}
