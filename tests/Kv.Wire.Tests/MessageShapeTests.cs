using System.Buffers;
using CsCheck;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Kv.Protos.Kv.V1;
using Kv.Protos.Riak;
using Xunit;

namespace Kv.Wire.Tests;

/// <summary>What a message's fields count before it is parsed, against what the parser makes of them.</summary>
public sealed class MessageShapeTests
{
    private const int DenseBytes = 40_000;

    /// <summary>What the message itself takes, however little is in it.</summary>
    private const int MessageBytes = 2048;

    private static readonly MessageDescriptor[] Messages =
        [RpbPutReq.Descriptor, DtUpdateReq.Descriptor, RpbSetBucketReq.Descriptor, SessionRequests.Descriptor, MultiGetRequest.Descriptor];

    /// <summary>Message, the bytes that it begins with, and those that come again and again after them, in fields of the given numbers around both.</summary>
    public static TheoryData<string, int[], string> Dense => new()
    {
        { nameof(RpbPutReq), [4, 6], "" },
        { nameof(RpbPutReq), [4, 9], "0A0178120179" },
        { nameof(RpbPutReq), [4, 10], "0A00" },
        { nameof(RpbPutReq), [4, 6], "0801" },
        { nameof(RpbPutReq), [4, 6], "3D01020304" },
        { nameof(RpbPutReq), [4], "5A0178" },
        { nameof(DtUpdateReq), [5, 2, 1], "78" },
        { nameof(DtUpdateReq), [5, 3, 2], "0A040A0010012200" },
        { nameof(DtUpdateReq), [5, 3, 1], "" },
        { nameof(DtUpdateReq), [5, 3, 2], "3200" },
        { nameof(DtUpdateReq), [5, 4, 1], "" },
        { nameof(RpbSetBucketReq), [2, 4], "0A021200" },
        { nameof(SessionRequests), [1], "0801" },
        { nameof(SessionRequests), [1], "08011A021200" },
        { nameof(SessionRequests), [1], "08011A0412022A00" },
        { nameof(SessionRequests), [1], "0801320412021A00" },
        { nameof(SessionRequests), [1], "080112080A0012001A002200" },
        { nameof(MultiGetRequest), [1], "0A021200" },
    };

    [Theory]
    [MemberData(nameof(Dense))]
    public void WhatIsParsed_TakesNoMoreThanItsFieldsCount(string name, int[] fields, string hex)
    {
        var descriptor = Messages.Single(message => message.Name == name);
        var message = Repeated(fields, Convert.FromHexString(hex));
        var (all, _) = MessageShape.Of(descriptor).Count(new(message))!.Value;
        Assert.InRange(AllocatedBy(() => descriptor.Parser.ParseFrom(message)), 0, (all * RequestMemory.FieldBytes) + message.Length + MessageBytes);
    }

    /// <summary>Numbers that no message knows, each another: what is kept of them is the largest.</summary>
    [Fact]
    public void UnknownFields_CountAsMuchAsTheyTake()
    {
        var numbers = new MemoryStream();
        var output = new CodedOutputStream(numbers);
        for (var number = 100; number < 5000; number++)
        {
            output.WriteTag(number, WireFormat.WireType.Varint);
            output.WriteUInt32(1);
        }

        output.Flush();
        var message = numbers.ToArray();
        var (all, _) = MessageShape.Of(RpbGetReq.Descriptor).Count(new(message))!.Value;
        Assert.InRange(AllocatedBy(() => RpbGetReq.Parser.ParseFrom(message)), 0, (all * RequestMemory.FieldBytes) + message.Length + MessageBytes);
    }

    [Fact]
    public void Fields_AreCountedWithThoseWithin_AndValuesAreSteppedOver()
    {
        // A value that looks like a message is none.
        var content = new RpbContent { Value = ByteString.CopyFrom(Repeated([4, 6], [])) };
        content.Links.Add(new RpbLink { Bucket = ByteString.CopyFromUtf8("b"), Key = ByteString.CopyFromUtf8("k") });
        content.Links.Add(new RpbLink());
        var put = new RpbPutReq { Bucket = ByteString.CopyFromUtf8("b"), Content = content, W = 300, ReturnBody = true };
        Assert.Equal((9, 4), MessageShape.Of(RpbPutReq.Descriptor).Count(new(put.ToByteArray())));
        Assert.Equal((0, 0), MessageShape.Of(RpbPutReq.Descriptor).Count(default));
    }

    [Fact]
    public void Counting_AllocatesNothingForAField()
    {
        var (shape, message) = (MessageShape.Of(DtUpdateReq.Descriptor), Repeated([5, 2, 1], [7]));
        shape.Count(new(message));

        // What the runtime does with the thread's memory meanwhile may count too, but not each time.
        Assert.InRange(Enumerable.Range(0, 10).Min(_ => Counting()), 0, 256);

        long Counting()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            shape.Count(new(message));
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Theory]
    [InlineData("0A05")]
    [InlineData("0AFFFFFFFF0F00")]
    [InlineData("08")]
    [InlineData("FFFFFFFFFFFFFFFFFFFFFF01")]
    [InlineData("0D0102")]
    [InlineData("0E00")]
    [InlineData("2205320500")]
    [InlineData("0B0C")]
    public void BytesThatAreNoMessage_AreNone(string hex) => Assert.Null(MessageShape.Of(RpbPutReq.Descriptor).Count(new(Convert.FromHexString(hex))));

    /// <summary>A tag or length has 32 bits however many are written: what is above them hides nothing.</summary>
    [Fact]
    public void LongerTagsAndLengths_AreTakenAsTheParserTakesThem()
    {
        byte[] message = [0xa2, 0x80, 0x80, 0x80, 0x80, 0x01, 0x82, 0x80, 0x80, 0x80, 0x10, 0x32, 0x00];
        Assert.Single(RpbPutReq.Parser.ParseFrom(message).Content.Links);
        Assert.Equal((2, 1), MessageShape.Of(RpbPutReq.Descriptor).Count(new(message)));
    }

    [Fact]
    public void NestingBeyondTheParsers_IsNoMessage()
    {
        byte[] message = [];
        for (var depth = 0; depth < 60; depth++)
        {
            message = [.. Field(6, message.Length), .. message];
            message = [.. Field(2, message.Length), .. message];
        }

        message = [.. Field(3, message.Length), .. message];
        message = [.. Field(5, message.Length), .. message];
        Assert.Throws<InvalidProtocolBufferException>(() => DtUpdateReq.Parser.ParseFrom(message));
        Assert.Null(MessageShape.Of(DtUpdateReq.Descriptor).Count(new(message)));
    }

    /// <summary>Where the parser gets through, the fields were counted, and count what it allocated; in one piece or in many.</summary>
    [Fact]
    public void AnyBytes_AreNoMessage_OrCountWhatTheyTake() =>
        Gen.Select(Gen.Int[0, Messages.Length - 1], Gen.Byte[0, 40].Array[0, 300], Gen.Int[1, 50]).Sample(
            (index, bytes, piece) =>
            {
                var (parser, counted) = (Messages[index].Parser, MessageShape.Of(Messages[index]).Count(new(bytes)));
                Assert.Equal(counted, MessageShape.Of(Messages[index]).Count(InPieces(bytes, piece)));
                try
                {
                    var taken = AllocatedBy(() => parser.ParseFrom(bytes));
                    Assert.True(
                        counted is { } fields ? taken <= (fields.All * RequestMemory.FieldBytes) + bytes.Length + MessageBytes : HasGroup(bytes),
                        $"{Messages[index].Name}: {Convert.ToHexString(bytes)} counts {counted} and takes {taken}");
                }
                catch (InvalidProtocolBufferException)
                {
                }
            },
            iter: 30_000);

    private static bool HasGroup(byte[] bytes) => bytes.Any(tag => (tag & 7) == 3);

    private static long AllocatedBy(Func<IMessage> parse)
    {
        parse();
        var before = GC.GetAllocatedBytesForCurrentThread();
        GC.KeepAlive(parse());
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    /// <summary>One field's bytes again and again, in the last of the fields, which lie in each other.</summary>
    private static byte[] Repeated(int[] fields, byte[] each)
    {
        byte[] one = [.. Field(fields[^1], each.Length), .. each];
        var message = Enumerable.Repeat(one, DenseBytes / one.Length).SelectMany(bytes => bytes).ToArray();
        foreach (var field in fields.Reverse().Skip(1))
        {
            message = [.. Field(field, message.Length), .. message];
        }

        return message;
    }

    private static byte[] Field(int number, int length)
    {
        var bytes = new MemoryStream();
        var output = new CodedOutputStream(bytes);
        output.WriteTag(number, WireFormat.WireType.LengthDelimited);
        output.WriteLength(length);
        output.Flush();
        return bytes.ToArray();
    }

    private static ReadOnlySequence<byte> InPieces(byte[] bytes, int piece)
    {
        var first = new Piece(default, 0);
        var last = first;
        for (var at = 0; at < bytes.Length; at += piece)
        {
            last = last.Then(bytes.AsMemory(at, Math.Min(piece, bytes.Length - at)));
        }

        return new(first, 0, last, last.Memory.Length);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, long index) => (Memory, RunningIndex) = (memory, index);

        public Piece Then(ReadOnlyMemory<byte> memory)
        {
            var next = new Piece(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
