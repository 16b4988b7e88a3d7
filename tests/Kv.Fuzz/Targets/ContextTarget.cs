using System.Buffers.Binary;
using Kv.Core.Causality;
using Kv.Fuzz.Running;
using Kv.Storage.Files;

namespace Kv.Fuzz.Targets;

/// <summary>Causal contexts that clients send back: as they come, and behind a header with the checksum that they would have.</summary>
internal sealed class ContextTarget : FuzzTarget
{
    private const int HeaderBytes = 5;

    public override string Name => "context";

    public override IEnumerable<byte[]> Seeds => Samples.Clocks.Select(CausalContext.Encode).SelectMany(token => new[] { token, token.Skip(HeaderBytes).ToArray() });

    public override void Take(byte[] input)
    {
        Decode(input);
        var token = new byte[HeaderBytes + input.Length];
        token[0] = 1;
        input.CopyTo(token, HeaderBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(token.AsSpan(1), Crc32C.Of(input));
        Decode(token);
    }

    private static void Decode(byte[] token)
    {
        if (!CausalContext.TryDecode(token, out var clock, out _))
        {
            return;
        }

        var again = CausalContext.Encode(clock);
        FuzzFailure.Unless(CausalContext.TryDecode(again, out var read, out var reason) && read.Equals(clock), $"what was encoded is another context: {reason}");
        FuzzFailure.Unless(clock.IsEmpty || again.AsSpan().SequenceEqual(token), "a context has two forms");
    }
}
