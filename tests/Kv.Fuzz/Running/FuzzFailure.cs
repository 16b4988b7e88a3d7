namespace Kv.Fuzz.Running;

/// <summary>An input showed something that must not be.</summary>
internal sealed class FuzzFailure(string message) : Exception(message)
{
    public static void Unless(bool holds, string message)
    {
        if (!holds)
        {
            throw new FuzzFailure(message);
        }
    }

    /// <summary>Bytes that were to come out as they went in.</summary>
    public static void UnlessSame(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, string what)
    {
        if (!first.SequenceEqual(second))
        {
            throw new FuzzFailure($"{what} differs once it is decoded and encoded again: {Convert.ToHexStringLower(first)} and {Convert.ToHexStringLower(second)}");
        }
    }
}
