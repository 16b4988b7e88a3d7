using System.Buffers;
using Google.Protobuf.Reflection;

namespace Kv.Wire;

/// <summary>
/// Which fields of a protobuf message are messages themselves, so that all fields of one can be counted before it is parsed: a parser makes objects of each, however
/// few bytes it has. One pass over the bytes that steps over values and allocates nothing.
/// </summary>
internal sealed class MessageShape
{
    /// <summary>What is kept of a field that is not known takes as much as so many others.</summary>
    public const int UnknownCounts = 4;

    /// <summary>The parser's own.</summary>
    private const int MaxDepth = 100;

    private const int LongestVarint = 10;

    private const uint Varint = 0;
    private const uint Fixed64 = 1;
    private const uint Lengthy = 2;
    private const uint Fixed32 = 5;

    // By number.
    private readonly Field[] fields;

    private MessageShape(Field[] fields) => this.fields = fields;

    /// <summary>How a field is written, and what message it holds, if it does.</summary>
    private readonly record struct Field(bool IsKnown, uint WireType, MessageShape? Message);

    public static MessageShape Of(MessageDescriptor message) => Of(message, []);

    /// <summary>
    /// How many fields there are, with those of the messages within, and how many the message has itself. Null where a parser would not get through, or would find a
    /// group, which none of these messages has.
    /// </summary>
    // hot
    public (long All, long Own)? Count(in ReadOnlySequence<byte> message)
    {
        var reader = new SequenceReader<byte>(message);
        var all = 0L;
        return TryCount(ref reader, message.Length, MaxDepth, ref all, out var own) ? (all, own) : null;
    }

    private static MessageShape Of(MessageDescriptor message, Dictionary<MessageDescriptor, MessageShape> known)
    {
        if (known.TryGetValue(message, out var shape))
        {
            return shape;
        }

        var fields = message.Fields.InFieldNumberOrder();
        shape = new MessageShape(new Field[fields.Count == 0 ? 0 : fields[^1].FieldNumber + 1]);
        known.Add(message, shape);
        foreach (var field in fields)
        {
            var wireType = WireTypeOf(field.FieldType);
            if (field.IsRepeated && wireType != Lengthy)
            {
                throw new ArgumentException($"{field.FullName} may be packed: many values in what looks like one field", nameof(message));
            }

            shape.fields[field.FieldNumber] = new Field(IsKnown: true, wireType, field.FieldType == FieldType.Message ? Of(field.MessageType, known) : null);
        }

        return shape;
    }

    private static uint WireTypeOf(FieldType type) => type switch
    {
        FieldType.Message or FieldType.Bytes or FieldType.String => Lengthy,
        FieldType.Fixed64 or FieldType.SFixed64 or FieldType.Double => Fixed64,
        FieldType.Fixed32 or FieldType.SFixed32 or FieldType.Float => Fixed32,
        _ => Varint,
    };

    private bool TryCount(ref SequenceReader<byte> reader, long end, int depth, ref long all, out long own)
    {
        own = 0;
        while (reader.Consumed < end)
        {
            // Tags and lengths have 32 bits, as parsers take them.
            if (!TryReadVarint(ref reader, out var tag))
            {
                return false;
            }

            var (number, wireType) = ((uint)tag >> 3, (uint)tag & 7);
            var field = number < fields.Length ? fields[number] : default;
            var isKnown = field.IsKnown && field.WireType == wireType;
            own++;
            all += isKnown ? 1 : UnknownCounts;
            if (!isKnown || field.Message is null)
            {
                if (!TrySkip(ref reader, wireType, end))
                {
                    return false;
                }
            }
            else if (depth == 0 || !TryReadLength(ref reader, end, out var length) || !field.Message.TryCount(ref reader, reader.Consumed + length, depth - 1, ref all, out _))
            {
                return false;
            }
        }

        return reader.Consumed == end;
    }

    private static bool TrySkip(ref SequenceReader<byte> reader, uint wireType, long end)
    {
        uint length;
        switch (wireType)
        {
            case Varint:
                return TryReadVarint(ref reader, out _);
            case Lengthy when TryReadLength(ref reader, end, out length):
                break;
            case Fixed64:
                length = 8;
                break;
            case Fixed32:
                length = 4;
                break;
            default:
                return false;
        }

        if (length > end - reader.Consumed)
        {
            return false;
        }

        reader.Advance(length);
        return true;
    }

    private static bool TryReadLength(ref SequenceReader<byte> reader, long end, out uint length)
    {
        var isRead = TryReadVarint(ref reader, out var value);
        length = (uint)value;
        return isRead && length <= end - reader.Consumed;
    }

    private static bool TryReadVarint(ref SequenceReader<byte> reader, out ulong value)
    {
        value = 0;
        for (var bytes = 0; bytes < LongestVarint && reader.TryRead(out var next); bytes++)
        {
            value |= (ulong)(next & 0x7f) << (7 * bytes);
            if (next < 0x80)
            {
                return true;
            }
        }

        return false;
    }
}
