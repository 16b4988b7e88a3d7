using Kv.Core.DataTypes;
using Kv.Fuzz.Running;
using Kv.Wire.Peer;
using Kv.Wire.Riak.Http;

namespace Kv.Fuzz.Targets;

/// <summary>Updates of data types as JSON, as they go to another node, and as they change a state. The first byte says which type.</summary>
internal sealed class DataTypeJsonTarget : FuzzTarget
{
    private static readonly DataTypeKind[] Kinds = [DataTypeKind.Counter, DataTypeKind.Set, DataTypeKind.GSet, DataTypeKind.HyperLogLog, DataTypeKind.Map];

    public override string Name => "data-type-json";

    /// <summary>A HyperLogLog's registers, several times.</summary>
    public override long FixedBytes => 2 * 1024 * 1024;

    public override long BytesPerByte => 2048;

    public override IReadOnlyList<string> Words =>
        ["\"increment\":", "\"decrement\"", "\"add\":", "\"add_all\":[", "\"remove\":", "\"remove_all\":[", "\"update\":{", "\"assign\":", "\"enable\"", "\"disable\"", "\"context\":\"\"", "_map\":{", "_set\":{", "_counter\":1", "_register\":\"", "_flag\":", "\\ud800", "1e99"];

    public override IEnumerable<byte[]> Seeds => Samples.Texts(
        "\u00005", "\u0000\"decrement\"", """{"increment":-99999999999999999999}""".Insert(0, "\0"),
        "\u0001" + """{"add":"a","remove_all":["b","c"],"context":""}""", "\u0001" + """{"update":[{"add":"a"},{"remove":"b"}]}""",
        "\u0002" + """{"add_all":["a","b"]}""", "\u0003" + """{"add":"a"}""",
        "\u0004" + """{"update":{"c_counter":5,"s_set":{"add":"a"},"r_register":{"assign":"v"},"f_flag":"enable","m_map":{"update":{"c_counter":{"decrement":2}},"remove":["x_set"]}},"remove":"gone_map"}""");

    public override void Take(byte[] input)
    {
        if (input.Length == 0)
        {
            return;
        }

        var kind = Kinds[input[0] % Kinds.Length];
        var json = new DataTypeUpdateJson();
        if (json.Read(input.AsMemory(1), kind) is not { } update)
        {
            FuzzFailure.Unless(json.Fault is not null, "it is neither read nor refused");
            return;
        }

        FuzzFailure.UnlessSame(Sent(update.Operation), Sent(Received(Sent(update.Operation))), "an update");
        var state = DataType.Empty(kind, HyperLogLog.MostPrecision).Apply(update.Operation, new DataTypeEvent(Samples.Dot, 1_700_000_000_000_000, update.Context), out var problem);
        FuzzFailure.Unless(state is not null || problem is not null, "it is neither carried out nor refused");
        if (state is not null)
        {
            FuzzFailure.Unless(DataTypeCodec.TryDecode(DataTypeCodec.Encode(state).Span, out _, out var reason), reason);
        }
    }

    private static byte[] Sent(DataTypeOperation operation)
    {
        using var writer = new WireWriter();
        DataTypeOperationCodec.Write(writer, operation);
        return writer.Written.ToArray();
    }

    private static DataTypeOperation Received(byte[] bytes)
    {
        var reader = new WireReader(bytes);
        var operation = DataTypeOperationCodec.Read(ref reader);
        reader.End();
        return reader.Failed ? throw new FuzzFailure($"what was sent is no update: {reader.Problem}") : operation;
    }
}
