namespace Kv.Core.DataTypes;

/// <summary>
/// A field of a map: its name, and its kind, since two kinds under one name are two fields. Ordered as Riak orders them: by the bytes of the name, then
/// by the Erlang module of the kind (riak_dt_emcntr, _lwwreg, _map, _od_flag, _orswot).
/// </summary>
public readonly record struct FieldName(ReadOnlyMemory<byte> Name, DataTypeKind Kind) : IComparable<FieldName>
{
    private int Rank => Kind switch
    {
        DataTypeKind.Counter => 0,
        DataTypeKind.Register => 1,
        DataTypeKind.Map => 2,
        DataTypeKind.Flag => 3,
        _ => 4,
    };

    public int CompareTo(FieldName other)
    {
        var byName = Name.Span.SequenceCompareTo(other.Name.Span);
        return byName != 0 ? byName : Rank.CompareTo(other.Rank);
    }

    public bool Equals(FieldName other) => Kind == other.Kind && Name.Span.SequenceEqual(other.Name.Span);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Name.Span);
        hash.Add(Kind);
        return hash.ToHashCode();
    }

    public static bool operator <(FieldName left, FieldName right) => left.CompareTo(right) < 0;

    public static bool operator <=(FieldName left, FieldName right) => left.CompareTo(right) <= 0;

    public static bool operator >(FieldName left, FieldName right) => left.CompareTo(right) > 0;

    public static bool operator >=(FieldName left, FieldName right) => left.CompareTo(right) >= 0;
}
