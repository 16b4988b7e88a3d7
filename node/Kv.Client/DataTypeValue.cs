using System.Collections.Immutable;
using System.Numerics;
using System.Text;
using Kv.Core.DataTypes;

namespace Kv.Client;

/// <summary>The value of a data type, or of a map's field. Immutable.</summary>
public abstract record DataTypeValue
{
    private DataTypeValue()
    {
    }

    public sealed record Counter(BigInteger Value) : DataTypeValue;

    /// <param name="Members">By their bytes.</param>
    public sealed record Set(ImmutableArray<ReadOnlyMemory<byte>> Members) : DataTypeValue
    {
        public bool Contains(string member) => Members.Has(member);
    }

    /// <summary>A field of maps only.</summary>
    public sealed record Register(ReadOnlyMemory<byte> Value) : DataTypeValue
    {
        /// <summary>The bytes as UTF-8.</summary>
        public string Text => Encoding.UTF8.GetString(Value.Span);
    }

    /// <summary>A field of maps only.</summary>
    public sealed record Flag(bool IsEnabled) : DataTypeValue;

    /// <summary>Two kinds under one name are two fields; so each of the methods looks for one kind, and gives null where there is no such field.</summary>
    public sealed record Map(ImmutableSortedDictionary<FieldName, DataTypeValue> Fields) : DataTypeValue
    {
        public BigInteger? CounterOf(string name) => Find<Counter>(name, DataTypeKind.Counter)?.Value;

        public Set? SetOf(string name) => Find<Set>(name, DataTypeKind.Set);

        public Register? RegisterOf(string name) => Find<Register>(name, DataTypeKind.Register);

        public bool? FlagOf(string name) => Find<Flag>(name, DataTypeKind.Flag)?.IsEnabled;

        public Map? MapOf(string name) => Find<Map>(name, DataTypeKind.Map);

        private T? Find<T>(string name, DataTypeKind kind)
            where T : DataTypeValue => Fields.GetValueOrDefault(new FieldName(Encoding.UTF8.GetBytes(name), kind)) as T;
    }

    /// <param name="Members">By their bytes.</param>
    public sealed record GrowOnlySet(ImmutableArray<ReadOnlyMemory<byte>> Members) : DataTypeValue
    {
        public bool Contains(string member) => Members.Has(member);
    }

    /// <param name="Estimate">How many distinct members were added, as far as can be told.</param>
    public sealed record HyperLogLog(ulong Estimate) : DataTypeValue;
}
